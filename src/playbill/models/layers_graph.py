"""A chain of layers written as an ONNX graph, in float32 or with eight-bit layers in between.

Serving has no library that writes graphs, and needs little of one.

Source: the ONNX protocol buffers (``onnx.proto``) and the wire format they are written in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.models.eight_bits import TOP, EightBitLayer

Floats = npt.NDArray[np.float32]

_VARINT, _BYTES = 0, 2
_KINDS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}
_IR_VERSION, _OPSET = 8, 17
_OURS, _RUNTIMES = "", "com.microsoft"
"""Sets of operations: ONNX's own, and the runtime's, which has products of eight-bit numbers."""


def layers_graph(weights: Sequence[Floats], biases: Sequence[Floats]) -> bytes:
    """Return a graph of L layers: ``x`` (N, I) to ``p`` (N, O), with two biases that are asked.

    ``first_bias`` (1, W) and ``last_bias`` (1, O) are the request's, and added up where there is
    but one layer.

    Args:
        weights: L arrays, (inputs, outputs).
        biases: L - 2 arrays, (outputs,), of the layers in between.
    """
    graph, x = _Writer(), "x"
    for place, weight in enumerate(weights[:-1]):
        bias = graph.constant(f"bias_{place}", biases[place - 1]) if place else "first_bias"
        x = graph.layer(place, x, weight, bias)
    if len(weights) == 1:
        graph.node("Add", ["first_bias", "last_bias"], "only_bias")
    graph.last(x, weights[-1], "last_bias" if len(weights) > 1 else "only_bias")
    return graph.written(weights[0], weights[-1])


def eight_bit_graph(first: Floats, between: Sequence[EightBitLayer], last: Floats) -> bytes:
    """Return the same graph with eight-bit layers between the first and the last.

    Args:
        first: (I, W) float32, such that hidden units lie between 0 and 1.
        between: at least one.
        last: (W, O) float32.
    """
    graph = _Writer()
    unit = graph.constant("unit", np.float32(1.0 / TOP)), graph.constant("none", np.uint8(0))
    graph.node("Gemm", ["x", graph.constant("weight_0", first), "first_bias"], "sum_0")
    x = graph.node("QuantizeLinear", ["sum_0", *unit], "hidden_0")
    for place, layer in enumerate(between, start=1):
        name, told = f"layer_{place}", place < len(between)
        parts: dict[str, npt.NDArray[Any]] = {
            "codes": layer.codes,
            "step": layer.steps,
            "middle": np.zeros(len(layer.steps), np.int8),
            "bias": layer.bias,
        }
        asked = [x, *unit, *(graph.constant(f"{name}_{part}", of) for part, of in parts.items())]
        x = graph.node("QGemm", [*asked, *(unit if told else ())], f"{name}_sum", _RUNTIMES)
    graph.last(graph.node("Relu", [x], "hidden"), last, "last_bias")
    return graph.written(first, last)


class _Writer:
    """A graph while it is written."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, name: str, array: npt.NDArray[Any] | np.generic) -> str:
        self._constants.append(_tensor_bytes(name, np.asarray(array)))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, domain: str = _OURS) -> str:
        self._nodes.append(_node_bytes(kind, inputs, output, domain))
        return output

    def layer(self, place: int, x: str, weight: Floats, bias: str) -> str:
        asked = [x, self.constant(f"weight_{place}", weight), bias]
        return self.node("Relu", [self.node("Gemm", asked, f"sum_{place}")], f"hidden_{place}")

    def last(self, x: str, weight: Floats, bias: str) -> None:
        logits = self.node("Gemm", [x, self.constant("last_weight", weight), bias], "logits")
        self.node("Sigmoid", [logits], "p")

    def written(self, first: Floats, last: Floats) -> bytes:
        graph = b"".join(
            [
                *(_written(1, node) for node in self._nodes),
                _written(2, b"layers"),
                *(_written(5, constant) for constant in self._constants),
                _written(11, _value_bytes("x", ["rows", first.shape[0]])),
                _written(11, _value_bytes("first_bias", [1, first.shape[1]])),
                _written(11, _value_bytes("last_bias", [1, last.shape[1]])),
                _written(12, _value_bytes("p", ["rows", last.shape[1]])),
            ]
        )
        sets = {_OURS: _OPSET, _RUNTIMES: 1}
        return (
            _counted(1, _IR_VERSION)
            + _written(7, graph)
            + b"".join(
                _written(8, _written(1, domain.encode()) + _counted(2, version))
                for domain, version in sets.items()
            )
        )


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _counted(number: int, value: int) -> bytes:
    return _number(number << 3 | _VARINT) + _number(value)


def _written(number: int, value: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(value)) + value


def _node_bytes(kind: str, inputs: Sequence[str], output: str, domain: str) -> bytes:
    named = b"".join(_written(1, name.encode()) for name in inputs)
    said = _written(2, output.encode()) + _written(4, kind.encode())
    return named + said + (_written(7, domain.encode()) if domain else b"")


def _tensor_bytes(name: str, array: npt.NDArray[Any]) -> bytes:
    shape = b"".join(_counted(1, size) for size in array.shape)
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    kind = _counted(2, _KINDS[array.dtype.name])
    return shape + kind + _written(8, name.encode()) + _written(9, raw)


def _value_bytes(name: str, sizes: Sequence[str | int]) -> bytes:
    shape = b"".join(
        _written(1, _counted(1, size) if isinstance(size, int) else _written(2, size.encode()))
        for size in sizes
    )
    tensor = _counted(1, _KINDS["float32"]) + _written(2, shape)
    return _written(1, name.encode()) + _written(2, _written(1, tensor))
