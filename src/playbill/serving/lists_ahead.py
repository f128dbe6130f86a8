"""Lists made ahead of requests, in one file that every worker maps: viewers' and regions'.

Layout, little-endian: magic, version and length of the head; the head as JSON, padded to 64 bytes;
``high`` and ``low`` (N,) the halves of viewers' pseudonyms, ascending; ``keys`` (N, K) and
``sources`` (N, K), a key of 0 for no video; ``regions`` (R, S, L) keys; BLAKE2b of all before it.
Videos stand there by key, so that the file outlives the rows of the catalogue.
"""

import hashlib
import mmap
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput, replace_file

Keys = npt.NDArray[np.uint64]
Sources = npt.NDArray[np.uint8]

_MAGIC, _VERSION = b"PBLISTS\n", 1
_START = struct.Struct("<8sII")
_ALIGNED = 64
_DIGEST_BYTES = 32
_MOST_HEAD_BYTES = 4_096
_USER_BYTES = 16
_PIECE = 1 << 20


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of lists says of itself."""

    created_at_ms: int
    bundle: str
    viewers: int
    size: int
    regions: int
    surfaces: int
    region_size: int

    def body_bytes(self) -> int:
        """Return the length of what follows the head, up to the digest."""
        return self.viewers * (_USER_BYTES + 9 * self.size) + 8 * self._region_places()

    def _region_places(self) -> int:
        return self.regions * self.surfaces * self.region_size


@dataclass(frozen=True, slots=True)
class ListsAhead:
    """The mapped file. Nothing of it is an object a viewer."""

    head: Head
    _high: Keys
    _low: Keys
    _keys: Keys
    _sources: Sources
    _regions: Keys

    @classmethod
    def open(cls, path: Path) -> "ListsAhead":
        """Map a file and read it once, to be sure of every byte.

        Raises:
            FileNotFoundError: there is none.
            InvalidInput: it is none of ours, cut, altered or of another version.
        """
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            raise _refused(path, f"it cannot be mapped: {error}") from error
        head, first = _head_of(path, mapped)
        if len(mapped) != first + head.body_bytes() + _DIGEST_BYTES:
            raise _refused(path, "it is not as long as it says")
        if _digest_of(mapped) != mapped[-_DIGEST_BYTES:]:
            raise _refused(path, "it was altered")
        return cls(head, *_columns(head, mapped, first))

    def find(self, user: bytes) -> tuple[Keys, Sources] | None:
        """Return the (K',) keys and sources of a viewer's list, None without one; O(log N)."""
        high, low = _halves(user)
        place = int(np.searchsorted(self._high, np.uint64(high)))
        while place < len(self._high) and self._high[place] == high:
            if self._low[place] == low:
                listed = self._keys[place] != 0
                return self._keys[place][listed], self._sources[place][listed]
            place += 1
        return None

    def by_place(self) -> dict[tuple[int, int], Keys]:
        """Return the keys of each region's list on each surface, by their codes."""
        return {
            (region + 1, surface + 1): listed[listed != 0]
            for region, surfaces in enumerate(self._regions)
            for surface, listed in enumerate(surfaces)
        }


def write_lists(
    path: Path,
    *,
    created_at_ms: int,
    bundle: str,
    size: int,
    viewers: Mapping[bytes, tuple[Keys, Sources]],
    regions: Sequence[Sequence[Keys]],
    region_size: int,
) -> None:
    """Replace the file of lists in one step.

    Args:
        bundle: digest of what ranked them.
        size: places of a viewer's list; what is beyond is cut.
        viewers: lists by pseudonym.
        regions: lists by region and surface, in the order of their codes.
        region_size: places of a region's list; what is beyond is cut.

    Raises:
        OSError: the disk refused; the old file is as it was.
    """
    ordered = sorted(viewers)
    head = Head(
        created_at_ms=created_at_ms,
        bundle=bundle,
        viewers=len(ordered),
        size=size,
        regions=len(regions),
        surfaces=len(regions[0]) if regions else 0,
        region_size=region_size,
    )
    keys = np.zeros((len(ordered), size), "<u8")
    sources = np.zeros((len(ordered), size), np.uint8)
    for place, user in enumerate(ordered):
        listed, named = viewers[user]
        count = min(len(listed), size)
        keys[place, :count], sources[place, :count] = listed[:count], named[:count]
    wide = np.zeros((head.regions, head.surfaces, region_size), "<u8")
    for region, surfaces in enumerate(regions):
        for surface, listed in enumerate(surfaces):
            wide[region, surface, : len(listed)] = listed[:region_size]
    halves = np.array([_halves(user) for user in ordered], "<u8").reshape(-1, 2)
    columns = [halves[:, 0], halves[:, 1], keys, wide, sources]
    replace_file(path, _writer(head, columns))


def _writer(head: Head, columns: Sequence[npt.NDArray[np.generic]]) -> Callable[[BinaryIO], object]:
    def write(file: BinaryIO) -> None:
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        text = msgspec.json.encode(head)
        text += b" " * (-(_START.size + len(text)) % _ALIGNED)
        start = _START.pack(_MAGIC, _VERSION, len(text))
        for part in (start, text, *(column.tobytes() for column in columns)):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())

    return write


def _head_of(path: Path, mapped: mmap.mmap) -> tuple[Head, int]:
    """Return the head and where the body begins."""
    if len(mapped) < _START.size:
        raise _refused(path, "it is too short")
    magic, version, length = _START.unpack(mapped[: _START.size])
    if magic != _MAGIC:
        raise _refused(path, "it is no file of lists")
    if version != _VERSION:
        raise _refused(path, f"its version is {version}; this one reads {_VERSION}")
    try:
        if length > _MOST_HEAD_BYTES:
            raise ValueError("its head is too long")
        head = msgspec.json.decode(mapped[_START.size : _START.size + length], type=Head)
    except (ValueError, msgspec.DecodeError) as error:
        raise _refused(path, f"its head cannot be read: {error}") from error
    if min(head.viewers, head.size, head.regions, head.surfaces, head.region_size) < 0:
        raise _refused(path, "its head counts below zero")
    return head, _START.size + length


def _columns(head: Head, mapped: mmap.mmap, first: int) -> tuple[Keys, Keys, Keys, Sources, Keys]:
    """Return views of the mapped columns: high, low, keys, sources, regions."""

    def column(shape: tuple[int, ...], kind: str) -> npt.NDArray[np.generic]:
        nonlocal first
        count = int(np.prod(shape))
        found = np.frombuffer(mapped, kind, count, first).reshape(shape)
        first += found.nbytes
        return found

    high, low = column((head.viewers,), "<u8"), column((head.viewers,), "<u8")
    keys = column((head.viewers, head.size), "<u8")
    regions = column((head.regions, head.surfaces, head.region_size), "<u8")
    sources = column((head.viewers, head.size), "u1")
    return high, low, keys, sources, regions  # type: ignore[return-value]


def _digest_of(mapped: mmap.mmap) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with memoryview(mapped) as view, view[:-_DIGEST_BYTES] as content:
        for start in range(0, len(content), _PIECE):
            digest.update(content[start : start + _PIECE])
    return digest.digest()


def _halves(user: bytes) -> tuple[int, int]:
    return int.from_bytes(user[:8], "big"), int.from_bytes(user[8:], "big")


def _refused(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"the lists in {path.name} are not served: {why}",
        code="lists_refused",
        hint="run playbill precompute again; lists that were loaded before keep serving",
    )
