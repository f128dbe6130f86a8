"""ONNX files by their bytes: what an exported graph holds, and a chain of layers written as one.

Serving has no library that reads or writes graphs, and needs little of one: names, nodes, arrays.

Source: the ONNX protocol buffers (``onnx.proto``) and the wire format they are written in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

Value = int | memoryview

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_VARINT_BITS = 70
_FLOAT = 1
_KINDS: dict[Value, type[np.generic]] = {_FLOAT: np.float32, 7: np.int64}
_IR_VERSION, _OPSET = 8, 17


@dataclass(frozen=True, slots=True)
class Node:
    """One operation, and the names of what it reads and writes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph's nodes in order, and its constants by name."""

    nodes: tuple[Node, ...]
    constants: dict[str, npt.NDArray[Any]]

    @classmethod
    def read_or_none(cls, model: bytes) -> "Graph | None":
        """Return the graph of a file's bytes, None where ``read`` refuses them."""
        try:
            return cls.read(model)
        except InvalidInput:
            return None

    @classmethod
    def read(cls, model: bytes) -> "Graph":
        """Return the graph of a file's bytes.

        Raises:
            InvalidInput: they are no graph, or hold a constant of another kind than float32 or
                int64.
        """
        try:
            parts = list(_fields(_only(_fields(memoryview(model)), 7)))
            return cls(
                tuple(_node(part) for number, part in parts if number == 1),
                dict(_tensor(part) for number, part in parts if number == 5),
            )
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"the bytes are no graph of float32 and int64 constants: {error!r}",
                hint="train again or restore the bundle",
            ) from error


def layers_graph(
    weights: Sequence[npt.NDArray[np.float32]], biases: Sequence[npt.NDArray[np.float32]]
) -> bytes:
    """Return a graph of L layers: ``x`` (N, I) and ``first_bias`` (1, W) to ``p`` (N, O).

    Args:
        weights: L arrays, (inputs, outputs).
        biases: L - 1 arrays, (outputs,), of all layers but the first.
    """
    nodes, constants, x = [], [], "x"
    for place, weight in enumerate(weights):
        constants.append(_tensor_bytes(f"weight_{place}", weight))
        bias = "first_bias"
        if place:
            bias = f"bias_{place}"
            constants.append(_tensor_bytes(bias, biases[place - 1]))
        nodes.append(_node_bytes("Gemm", [x, f"weight_{place}", bias], f"sum_{place}"))
        last = place == len(weights) - 1
        x = "p" if last else f"hidden_{place}"
        nodes.append(_node_bytes("Sigmoid" if last else "Relu", [f"sum_{place}"], x))
    graph = b"".join(
        [
            *(_written(1, node) for node in nodes),
            _written(2, b"layers"),
            *(_written(5, constant) for constant in constants),
            _written(11, _value_bytes("x", ["rows", weights[0].shape[0]])),
            _written(11, _value_bytes("first_bias", [1, weights[0].shape[1]])),
            _written(12, _value_bytes("p", ["rows", weights[-1].shape[1]])),
        ]
    )
    opset = _written(1, b"") + _counted(2, _OPSET)
    return _counted(1, _IR_VERSION) + _written(7, graph) + _written(8, opset)


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    value = shift = 0
    while shift < _VARINT_BITS:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number without an end")


def _fields(data: Value) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field of a message."""
    data, at = _octets(data), 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        size = {_FIXED_64: 8, _FIXED_32: 4}.get(kind, 0)
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif not size:
            raise ValueError(f"a field of kind {kind}")
        if at + size > len(data):
            raise ValueError("a field reaches beyond the end")
        yield tag >> 3, data[at : at + size]
        at += size


def _only(found: Iterator[tuple[int, Value]], wanted: int) -> Value:
    """Return the one field of a number.

    Raises:
        ValueError: there is none, or more than one.
    """
    (value,) = [value for number, value in found if number == wanted]
    return value


def _octets(value: Value) -> memoryview:
    if isinstance(value, int):
        raise TypeError("a number stands where bytes should")
    return value


def _text(value: Value) -> str:
    return bytes(_octets(value)).decode()


def _node(data: Value) -> Node:
    read = list(_fields(data))
    inputs, outputs = (tuple(_text(value) for number, value in read if number == n) for n in (1, 2))
    return Node(_text(_only(iter(read), 4)), inputs, outputs)


def _tensor(data: Value) -> tuple[str, npt.NDArray[Any]]:
    read = list(_fields(data))
    shape = [int(value) for number, value in read if number == 1 and isinstance(value, int)]
    kind, raw = _KINDS[_only(iter(read), 2)], _octets(_only(iter(read), 9))
    array = np.frombuffer(raw, np.dtype(kind).newbyteorder("<"))
    return _text(_only(iter(read), 8)), array.astype(kind).reshape(shape)


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


def _node_bytes(kind: str, inputs: Sequence[str], output: str) -> bytes:
    named = b"".join(_written(1, name.encode()) for name in inputs)
    return named + _written(2, output.encode()) + _written(4, kind.encode())


def _tensor_bytes(name: str, array: npt.NDArray[np.float32]) -> bytes:
    shape = b"".join(_counted(1, size) for size in array.shape)
    raw = array.astype("<f4").tobytes()
    return shape + _counted(2, _FLOAT) + _written(8, name.encode()) + _written(9, raw)


def _value_bytes(name: str, sizes: Sequence[str | int]) -> bytes:
    shape = b"".join(
        _written(1, _counted(1, size) if isinstance(size, int) else _written(2, size.encode()))
        for size in sizes
    )
    tensor = _counted(1, _FLOAT) + _written(2, shape)
    return _written(1, name.encode()) + _written(2, _written(1, tensor))
