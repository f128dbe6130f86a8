"""The user tower written out as an ONNX graph, node by node, for one viewer."""

import math

import numpy as np
from onnx import TensorProto, helper
from torch import nn

from playbill.models.onnx_graphs import Graph, array_of
from playbill.models.tasks import WIDTH
from playbill.models.user_network import (
    COLD_WEIGHT,
    LEAST_LENGTH,
    Block,
    UserNetwork,
)
from playbill.models.user_tower_kernel import HEADS, POOLS

_EPSILON = 1e-5


def user_tower_graph(network: UserNetwork) -> bytes:
    """Return the graph of a user tower.

    ``vectors`` (n, 64) and ``kinds`` (n,), oldest first and 32 at most, to ``user`` (1, 64). Only
    the last place leaves the last block.
    """
    graph = _Tower()
    graph.constant("row_shape", np.array([1, -1], np.int64))
    graph.constant("row_of_width", np.array([-1, WIDTH], np.int64))
    graph.constant("by_head", np.array([-1, HEADS, WIDTH // HEADS], np.int64))
    means = graph.means(network)
    attended = graph.attended(network)
    refined = graph.linear("outer", graph.relu("inner", network.inner, means), network.outer)
    graph.add("Slice", ["means", *graph.part("main", 0, WIDTH, 1)], "mean_main")
    graph.add("Add", ["mean_main", refined], "pooled")
    graph.add("Add", ["pooled", attended], "direction")
    graph.add("ReduceL2", ["direction"], "length", axes=[1], keepdims=1)
    graph.add("Max", ["length", graph.constant("least", np.float32(LEAST_LENGTH))], "safe")
    graph.add("Div", ["direction", "safe"], "user")
    inputs = [
        helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["videos", WIDTH]),
        helper.make_tensor_value_info("kinds", TensorProto.INT64, ["videos"]),
    ]
    output = helper.make_tensor_value_info("user", TensorProto.FLOAT, [1, WIDTH])
    return graph.finish("user_tower", inputs, output)


class _Tower(Graph):
    """Nodes of the tower."""

    def part(self, name: str, first: int, end: int, axis: int) -> list[str]:
        """Return the inputs of a Slice along one axis."""
        return [
            self.constant(f"{name}_{what}", np.array([value], np.int64))
            for what, value in (("first", first), ("end", end), ("axis", axis))
        ]

    def linear(self, name: str, x: str, layer: nn.Linear) -> str:
        weight = self.constant(f"{name}_weight", array_of(layer.weight).T)
        bias = self.constant(f"{name}_bias", array_of(layer.bias))
        return self.add("Gemm", [x, weight, bias], name)

    def relu(self, name: str, layer: nn.Linear, x: str) -> str:
        return self.add("Relu", [self.linear(name, x, layer)], f"{name}_relu")

    def normal(self, name: str, x: str, layer: nn.LayerNorm) -> str:
        weight = self.constant(f"{name}_weight", array_of(layer.weight))
        bias = self.constant(f"{name}_bias", array_of(layer.bias))
        return self.add("LayerNormalization", [x, weight, bias], name, axis=-1, epsilon=_EPSILON)

    def means(self, network: UserNetwork) -> str:
        """Add two weighted means of all videos, (1, 2 x 64): the newest has the first weight."""
        self.constant("cold", COLD_WEIGHT * array_of(network.cold)[None, :])
        self.constant("cold_weight", np.float32(COLD_WEIGHT))
        self.add("Shape", ["vectors"], "videos", start=0, end=1)
        oldest_first = np.exp(array_of(network.recency))[:, ::-1]
        size = self.constant("ages", np.array([oldest_first.shape[1]], np.int64))
        self.add("Sub", [size, "videos"], "age_first")
        axis = self.constant("age_axis", np.array([0], np.int64))
        for pool in range(POOLS):
            self.constant(f"recency_{pool}", oldest_first[pool])
            self.constant(f"worth_{pool}", np.exp(array_of(network.worth))[pool])
            self.add("Slice", [f"recency_{pool}", "age_first", size, axis], f"by_age_{pool}")
            self.add("Gather", [f"worth_{pool}", "kinds"], f"by_kind_{pool}")
            self.add("Mul", [f"by_age_{pool}", f"by_kind_{pool}"], f"each_{pool}")
            self.add("Reshape", [f"each_{pool}", "row_shape"], f"row_{pool}")
            self.add("MatMul", [f"row_{pool}", "vectors"], f"sum_{pool}")
            self.add("Add", [f"sum_{pool}", "cold"], f"total_{pool}")
            self.add("ReduceSum", [f"each_{pool}"], f"weights_{pool}", keepdims=1)
            self.add("Add", [f"weights_{pool}", "cold_weight"], f"weight_{pool}")
            self.add("Div", [f"total_{pool}", f"weight_{pool}"], f"mean_{pool}")
        return self.add("Concat", [f"mean_{pool}" for pool in range(POOLS)], "means", axis=1)

    def attended(self, network: UserNetwork) -> str:
        """Add what attention makes of the videos, (1, 64)."""
        zero = self.constant("zero", np.array([0, 0], np.int64))
        axes = self.constant("both_axes", np.array([1, 2], np.int64))
        one = self.constant("one", np.array([1], np.int64))
        self.add("Add", ["videos", one], "tokens")
        self.add("Concat", ["tokens", "tokens"], "square", axis=0)
        self.linear("entered", "vectors", network.enter)
        self.constant("kind_vectors", array_of(network.kinds))
        self.add("Gather", ["kind_vectors", "kinds"], "of_kind")
        self.add("Add", ["entered", "of_kind"], "history")
        begin = self.constant("begin", array_of(network.begin)[None, :])
        x = self.add("Concat", [begin, "history"], "x", axis=0)
        biases = array_of(network.attention_bias())
        for number, block in enumerate(network.blocks):
            whole = self.constant(f"bias_{number}", biases[number])
            bias = self.add("Slice", [whole, zero, "square", axes], f"bias_part_{number}")
            last = number == len(network.blocks) - 1
            x = self._block(f"block_{number}", x, bias, block, last=last)  # type: ignore[arg-type]
        left = self.normal("before_leaving", x, network.before_leaving)
        return self.linear("leave", left, network.leave)

    def _block(self, name: str, x: str, bias: str, block: Block, *, last: bool) -> str:
        """Add a block; of the last one only what the last token asks."""
        h = self.normal(f"{name}_normal", x, block.before_attention)
        asking, asked = x, h
        if last:
            asking = self.add("Gather", [x, "videos"], f"{name}_last", axis=0)
            asked = self.add("Gather", [h, "videos"], f"{name}_last_normal", axis=0)
            bias = self.add("Gather", [bias, "videos"], f"{name}_last_bias", axis=1)
        parts = self._split(name, asked, h, block)
        scores = self.add("MatMul", [parts[0], parts[1]], f"{name}_scores")
        scores = self.add("Add", [scores, bias], f"{name}_biased")
        shares = self.add("Softmax", [scores], f"{name}_shares", axis=-1)
        found = self.add("MatMul", [shares, parts[2]], f"{name}_found")
        found = self.add("Transpose", [found], f"{name}_by_token", perm=[1, 0, 2])
        found = self.add("Reshape", [found, "row_of_width"], f"{name}_joined")
        found = self.linear(f"{name}_attended", found, block.attended)
        x = self.add("Add", [asking, found], f"{name}_with_attended")
        h = self.normal(f"{name}_normal_inner", x, block.before_inner)
        h = self.linear(f"{name}_outer", self.relu(f"{name}_inner", block.inner, h), block.outer)
        return self.add("Add", [x, h], f"{name}_out")

    def _split(self, name: str, asked: str, h: str, block: Block) -> list[str]:
        """Return queries (heads, Q, d), keys (heads, d, T) and values (heads, T, d)."""
        weight, bias = array_of(block.projections.weight), array_of(block.projections.bias)
        scale = np.float32(1.0 / math.sqrt(WIDTH // HEADS))
        parts = []
        for place, part in enumerate(("query", "key", "value")):
            rows = slice(place * WIDTH, (place + 1) * WIDTH)
            factor = scale if part == "query" else np.float32(1.0)
            w = self.constant(f"{name}_{part}_weight", (weight[rows] * factor).T)
            b = self.constant(f"{name}_{part}_bias", bias[rows] * factor)
            x = asked if part == "query" else h
            flat = self.add("Gemm", [x, w, b], f"{name}_{part}_flat")
            heads = self.add("Reshape", [flat, "by_head"], f"{name}_{part}_heads")
            order = [1, 2, 0] if part == "key" else [1, 0, 2]
            parts.append(self.add("Transpose", [heads], f"{name}_{part}", perm=order))
        return parts
