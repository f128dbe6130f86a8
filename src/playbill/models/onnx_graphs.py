"""Networks written out as ONNX graphs, node by node: small, explicit, the same bytes each time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

from playbill.models.curves import NAMES
from playbill.models.networks import (
    LARGEST_DEVIATION,
    LARGEST_FINITE,
    RankerNetwork,
)
from playbill.models.tasks import TASKS

OPSET = 17
IR_VERSION = 8
"""Old enough for every ONNX Runtime that the project admits."""


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add a constant and return its name."""
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        self._nodes.append(
            helper.make_node(kind, list(inputs), [output], name=output, **attributes)
        )
        return output

    def finish(self, name: str, inputs: Sequence[Any], output: Any) -> bytes:
        """Return the bytes of the graph, checked."""
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
    graph, shape = Graph(), network.shape
    _standardised(graph, network)
    _embedded(graph, network)
    x = graph.add("Concat", ["x", "embedded"], "input", axis=1)
    linears = network.linears()
    for place, layer in enumerate(linears):
        last = place == len(linears) - 1
        weight = graph.constant(f"weight_{place}", array_of(layer.weight).T)
        bias = graph.constant(f"bias_{place}", array_of(layer.bias))
        x = graph.add("Gemm", [x, weight, bias], "logits" if last else f"sum_{place}")
        if not last:
            x = graph.add("Relu", [x], f"hidden_{place}")
    graph.constant("surface_place", np.int64(0))
    graph.constant("shifts", array_of(network.shifts))
    graph.add("Gather", ["codes", "surface_place"], "surface", axis=1)
    graph.add("Gather", ["shifts", "surface"], "shift", axis=0)
    graph.add("Add", [x, "shift"], "shifted")
    graph.add("Sigmoid", ["shifted"], "p")
    inputs = [
        helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["rows", shape.features]),
        helper.make_tensor_value_info(
            "categories", TensorProto.INT64, ["rows", len(shape.categories)]
        ),
    ]
    output = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["rows", len(TASKS)])
    return graph.finish("ranker", inputs, output)


def _standardised(graph: Graph, network: RankerNetwork) -> None:
    graph.constant("mean", array_of(network.mean))
    graph.constant("scale", array_of(network.scale))
    graph.constant("finite", np.float32(LARGEST_FINITE))
    graph.constant("zero", np.float32(0.0))
    graph.constant("least", np.float32(-LARGEST_DEVIATION))
    graph.constant("most", np.float32(LARGEST_DEVIATION))
    graph.add("Sub", ["dense", "mean"], "centred")
    graph.add("Mul", ["centred", "scale"], "scaled")
    graph.add("Abs", ["scaled"], "size")
    graph.add("LessOrEqual", ["size", "finite"], "usable")
    graph.add("Where", ["usable", "scaled", "zero"], "cleaned")
    if not network.shape.stretches:
        graph.add("Clip", ["cleaned", "least", "most"], "x")
        return
    graph.add("Clip", ["cleaned", "least", "most"], "straight")
    _bent(graph, network)


def _bent(graph: Graph, network: RankerNetwork) -> None:
    for name, tensor in zip(NAMES, (network.starts, network.rates, network.bends), strict=True):
        graph.constant(name, array_of(tensor))
    graph.constant("last_axis", np.array([2], np.int64))
    graph.constant("one", np.float32(1.0))
    starts, rates, bends = NAMES
    graph.add("Unsqueeze", ["straight", "last_axis"], "column")
    graph.add("Sub", ["column", starts], "beyond")
    graph.add("Mul", ["beyond", rates], "way")
    graph.add("Clip", ["way", "zero", "one"], "along")
    graph.add("Mul", ["along", bends], "parts")
    graph.add("ReduceSum", ["parts", "last_axis"], "bent", keepdims=0)
    graph.add("Add", ["straight", "bent"], "x")


def _embedded(graph: Graph, network: RankerNetwork) -> None:
    shape = network.shape
    width = len(shape.categories) * shape.embedding
    graph.constant("sizes", array_of(network.sizes))
    graph.constant("offsets", array_of(network.offsets))
    graph.constant("code_zero", np.int64(0))
    graph.constant("embeddings", array_of(network.embeddings.weight))
    graph.constant("flat", np.array([-1, width], np.int64))
    graph.add("GreaterOrEqual", ["categories", "code_zero"], "not_below")
    graph.add("Less", ["categories", "sizes"], "not_above")
    graph.add("And", ["not_below", "not_above"], "known")
    graph.add("Where", ["known", "categories", "code_zero"], "codes")
    graph.add("Add", ["codes", "offsets"], "places")
    graph.add("Gather", ["embeddings", "places"], "gathered", axis=0)
    graph.add("Reshape", ["gathered", "flat"], "embedded")


def array_of(tensor: Any) -> npt.NDArray[Any]:
    """Return a tensor's numbers."""
    array: npt.NDArray[Any] = tensor.detach().numpy()
    return array
