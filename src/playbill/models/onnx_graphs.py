"""Networks written out as ONNX graphs, node by node: small, explicit, the same bytes each time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

from playbill.features.layout import HISTORY
from playbill.models.networks import (
    COLD_WEIGHT,
    LARGEST_DEVIATION,
    LARGEST_FINITE,
    RankerNetwork,
    UserNetwork,
)
from playbill.models.tasks import TASKS, WIDTH

OPSET = 17
IR_VERSION = 8
"""Old enough for every ONNX Runtime that the project admits."""


class _Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(
            helper.make_node(kind, list(inputs), [output], name=output, **attributes)
        )
        return output

    def finish(self, name: str, inputs: Sequence[Any], output: Any) -> bytes:
        graph = helper.make_graph(self._nodes, name, list(inputs), [output], self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="playbill",
        )
        checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def ranker_graph(network: RankerNetwork) -> bytes:
    """Return the graph of a ranker: ``dense`` (N, F), ``categories`` (N, 3) to ``p`` (N, 4).

    A feature that is no finite number counts as its mean, a code out of range as 0.
    """
    graph, shape = _Graph(), network.shape
    _standardised(graph, network)
    _embedded(graph, network)
    x = graph.add("Concat", ["x", "embedded"], "input", axis=1)
    linears = network.linears()
    for place, layer in enumerate(linears):
        last = place == len(linears) - 1
        weight = graph.constant(f"weight_{place}", _array(layer.weight).T)
        bias = graph.constant(f"bias_{place}", _array(layer.bias))
        x = graph.add("Gemm", [x, weight, bias], "logits" if last else f"sum_{place}")
        if not last:
            x = graph.add("Relu", [x], f"hidden_{place}")
    graph.add("Sigmoid", [x], "p")
    inputs = [
        helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["rows", shape.features]),
        helper.make_tensor_value_info(
            "categories", TensorProto.INT64, ["rows", len(shape.categories)]
        ),
    ]
    output = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["rows", len(TASKS)])
    return graph.finish("ranker", inputs, output)


def _standardised(graph: _Graph, network: RankerNetwork) -> None:
    graph.constant("mean", _array(network.mean))
    graph.constant("scale", _array(network.scale))
    graph.constant("finite", np.float32(LARGEST_FINITE))
    graph.constant("zero", np.float32(0.0))
    graph.constant("least", np.float32(-LARGEST_DEVIATION))
    graph.constant("most", np.float32(LARGEST_DEVIATION))
    graph.add("Sub", ["dense", "mean"], "centred")
    graph.add("Mul", ["centred", "scale"], "scaled")
    graph.add("Abs", ["scaled"], "size")
    graph.add("LessOrEqual", ["size", "finite"], "usable")
    graph.add("Where", ["usable", "scaled", "zero"], "cleaned")
    graph.add("Clip", ["cleaned", "least", "most"], "x")


def _embedded(graph: _Graph, network: RankerNetwork) -> None:
    shape = network.shape
    width = len(shape.categories) * shape.embedding
    graph.constant("sizes", _array(network.sizes))
    graph.constant("offsets", _array(network.offsets))
    graph.constant("code_zero", np.int64(0))
    graph.constant("embeddings", _array(network.embeddings.weight))
    graph.constant("flat", np.array([-1, width], np.int64))
    graph.add("GreaterOrEqual", ["categories", "code_zero"], "not_below")
    graph.add("Less", ["categories", "sizes"], "not_above")
    graph.add("And", ["not_below", "not_above"], "known")
    graph.add("Where", ["known", "categories", "code_zero"], "codes")
    graph.add("Add", ["codes", "offsets"], "places")
    graph.add("Gather", ["embeddings", "places"], "gathered", axis=0)
    graph.add("Reshape", ["gathered", "flat"], "embedded")


def user_tower_graph(network: UserNetwork) -> bytes:
    """Return the graph of a user tower.

    ``history_vectors`` (1, 32, 64) and ``history_weights`` (1, 32) to ``user`` (1, 64).
    """
    graph = _Graph()
    graph.constant("cold", COLD_WEIGHT * _array(network.cold)[None, :])
    graph.constant("cold_weight", np.float32(COLD_WEIGHT))
    graph.constant("row", np.array([1, 1, HISTORY], np.int64))
    graph.constant("flat", np.array([1, WIDTH], np.int64))
    for place, row in enumerate(np.exp(_array(network.recency))):
        graph.constant(f"recency_{place}", row[None, :])
        w = graph.add("Mul", ["history_weights", f"recency_{place}"], f"w_{place}")
        graph.add("Reshape", [w, "row"], f"w_row_{place}")
        graph.add("MatMul", [f"w_row_{place}", "history_vectors"], f"pooled_{place}")
        graph.add("Reshape", [f"pooled_{place}", "flat"], f"pooled_flat_{place}")
        graph.add("Add", [f"pooled_flat_{place}", "cold"], f"total_{place}")
        graph.add("ReduceSum", [w, graph.constant(f"axes_{place}", np.array([1], np.int64))],
                  f"sum_{place}", keepdims=1)  # fmt: skip
        graph.add("Add", [f"sum_{place}", "cold_weight"], f"weight_{place}")
        graph.add("Div", [f"total_{place}", f"weight_{place}"], f"mean_{place}")
    x = graph.add("Concat", ["mean_0", "mean_1"], "both", axis=1)
    for name, layer in (("inner", network.inner), ("outer", network.outer)):
        weight = graph.constant(f"{name}_weight", _array(layer.weight).T)
        bias = graph.constant(f"{name}_bias", _array(layer.bias))
        x = graph.add("Gemm", [x, weight, bias], name)
        if name == "inner":
            x = graph.add("Relu", [x], "refined")
    graph.add("Add", ["mean_0", x], "direction")
    graph.add("ReduceL2", ["direction"], "length", axes=[1], keepdims=1)
    graph.add("Max", ["length", graph.constant("least", np.float32(1e-6))], "safe")
    graph.add("Div", ["direction", "safe"], "user")
    inputs = [
        helper.make_tensor_value_info("history_vectors", TensorProto.FLOAT, [1, HISTORY, WIDTH]),
        helper.make_tensor_value_info("history_weights", TensorProto.FLOAT, [1, HISTORY]),
    ]
    output = helper.make_tensor_value_info("user", TensorProto.FLOAT, [1, WIDTH])
    return graph.finish("user_tower", inputs, output)


def _array(tensor: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.detach().numpy()
    return array
