"""ONNX files by their bytes: what an exported graph holds.

Serving has no library that reads graphs, and needs little of one: names, nodes, arrays.

Source: the ONNX protocol buffers (``onnx.proto``) and the wire format they are written in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

Value = int | memoryview

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_VARINT_BITS = 70
_KINDS: dict[Value, type[np.generic]] = {1: np.float32, 7: np.int64}


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
