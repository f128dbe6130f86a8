"""Checkpoints of item state: one file, written aside, synchronised, then renamed."""

import io
import math
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import canonical_json, content_digest, replace_file
from playbill.features.definitions import features_digest
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, VIDEO_NAME, room_for
from playbill.features.pages import Rest
from playbill.features.state import FeatureState

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE_BYTES = 1 << 23
_PART_BYTES = 1 << 18
CHECKPOINT_FILE = "item-state.npz"
_FORMAT = 2, 0
"""Version of the arrays within, as NumPy counts them."""
_TABLES: dict[str, np.dtype[Any]] = {
    "items": ITEM_RECORD,
    "names": VIDEO_NAME,
    "authors": GROUP_RECORD,
    "topics": GROUP_RECORD,
}
"""Arrays that are read with room behind them, for they grow."""
_ARRAYS: dict[str, np.dtype[Any]] = {
    "ids_new": np.dtype(np.uint64),
    "ids_old": np.dtype(np.uint64),
    "trending_scores": np.dtype(np.float64),
    "surface_sums": np.dtype(np.float64),
}
_UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    zipfile.BadZipFile,
    msgspec.DecodeError,
)


class _Head(msgspec.Struct):
    epoch: int
    at_ms: int
    features: str
    regions: int
    ids_began_at_ms: int
    trending_landmark_ms: int
    surfaces_at_ms: int


class _InPieces(io.BufferedWriter):
    """A file that goes to the disk while it is written, so that nobody waits for all of it.

    Args:
        raw: the file.
        rest: called after each piece.
    """

    def __init__(self, raw: io.FileIO, rest: Rest) -> None:
        super().__init__(raw)
        self._rest = rest
        self._waiting = 0

    def write(self, data: "Buffer", /) -> int:
        """Write, and let the disk have what there is once it is a piece."""
        written = super().write(data)
        self._waiting += written
        if self._waiting >= _PIECE_BYTES:
            self._waiting = 0
            self.flush()
            os.fdatasync(self.fileno())
            self._rest()
        return written


def _write_array(file: IO[bytes], array: npt.NDArray[Any]) -> None:
    """Write an array as ``numpy.save`` does, by parts that stay in the core's own cache.

    NumPy copies sixteen megabytes at a time, which takes the shared cache from those who serve.
    """
    array = np.ascontiguousarray(array)
    np.lib.format.write_array_header_2_0(file, np.lib.format.header_data_from_array_1_0(array))
    data = array.reshape(-1).view(np.uint8).data
    for first in range(0, len(data), _PART_BYTES):
        file.write(data[first : first + _PART_BYTES])


def save_checkpoint(folder: Path, state: FeatureState, rest: Rest = lambda: None) -> None:
    """Write a state down; a crash leaves the one before.

    Args:
        folder: made where it is missing.
        state: what is written.
        rest: called after every eight megabytes, by whoever writes in the way of others.

    Raises:
        OSError: the disk refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = _Head(
        state.epoch,
        state.at_ms,
        features_digest(),
        state.regions,
        state.recent_ids.began_at_ms,
        state.trending.landmark_ms,
        state.surfaces.at_ms,
    )

    def write(file: BinaryIO) -> None:
        pieces = _InPieces(io.FileIO(file.fileno(), "wb", closefd=False), rest)
        arrays = {
            "head": np.frombuffer(msgspec.json.encode(head), np.uint8),
            "items": state.items.used(),
            "names": state.names.names[: state.items.count],
            "authors": state.authors.used(),
            "topics": state.topics.used(),
            "ids_new": state.recent_ids.tables[0],
            "ids_old": state.recent_ids.tables[1],
            "trending_scores": state.trending.scores,
            "surface_sums": state.surfaces.sums,
        }
        with zipfile.ZipFile(pieces, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    _write_array(member, array)
        pieces.close()

    replace_file(folder / CHECKPOINT_FILE, write)


def _read(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    room: Callable[[int], int] = lambda rows: rows,
) -> tuple[npt.NDArray[Any], int]:
    """Return an array of a checkpoint and how many rows of it were written.

    It is read once: straight to where it stays, and through its checksum.

    Args:
        archive: the checkpoint.
        name: of the array.
        dtype: of its elements.
        room: says how many rows to have memory for; those behind what was written are zeros.

    Raises:
        ValueError: it is not of that type, or not what was written.
    """
    member = f"{name}.npy"
    try:
        with archive.open(member) as file:
            assert isinstance(file, zipfile.ZipExtFile)
            if np.lib.format.read_magic(file) != _FORMAT:
                raise ValueError(f"{member} is of another format")
            shape, by_columns, found = np.lib.format.read_array_header_2_0(file)
            size = math.prod(shape) * dtype.itemsize
            told = file.tell() + size
            # What a header says is checked before memory is asked for; its checksum comes last.
            if found != dtype or by_columns or told != archive.getinfo(member).file_size:
                raise ValueError(f"{member} was altered")
            array = np.zeros((room(shape[0]), *shape[1:]), dtype)
            data = array.reshape(-1).view(np.uint8).data[:size]
            for first in range(0, size, _PART_BYTES):
                file.readinto(data[first : first + _PART_BYTES])
            if file.read():
                raise ValueError(f"{member} was altered")
    except zipfile.BadZipFile as error:
        raise ValueError(f"{member} was altered") from error
    return array, shape[0]


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """Why the log must be folded from its beginning: ``why`` is a clause for people."""

    why: str


def load_checkpoint(folder: Path, settings: Settings) -> FeatureState | NoCheckpoint:
    """Return the state of the last checkpoint, or why it cannot be used."""
    try:
        with (folder / CHECKPOINT_FILE).open("rb") as file, zipfile.ZipFile(file) as archive:
            said, _ = _read(archive, "head", np.dtype(np.uint8))
            head = msgspec.json.decode(said.tobytes(), type=_Head)
            if head.features != features_digest():
                return NoCheckpoint("the checkpoint was made by other feature definitions")
            tables = {
                name: _read(archive, name, dtype, room_for) for name, dtype in _TABLES.items()
            }
            arrays = {name: _read(archive, name, dtype)[0] for name, dtype in _ARRAYS.items()}
    except FileNotFoundError:
        return NoCheckpoint("there is no checkpoint")
    except _UNREADABLE as error:
        return NoCheckpoint(f"the checkpoint cannot be read: {error or type(error).__name__}")
    state = FeatureState.empty(settings)
    if head.regions != state.regions:
        return NoCheckpoint(
            f"the checkpoint was made with {head.regions} regions; {state.regions} are declared"
        )
    state.epoch, state.at_ms = head.epoch, head.at_ms
    state.items.restore(*tables["items"])
    state.names.restore(tables["names"][0])
    state.authors.restore(*tables["authors"])
    state.topics.restore(*tables["topics"])
    state.recent_ids.restore(head.ids_began_at_ms, [arrays["ids_new"], arrays["ids_old"]])
    state.trending.restore(head.trending_landmark_ms, arrays["trending_scores"])
    state.surfaces.restore(head.surfaces_at_ms, arrays["surface_sums"])
    return state


def state_digest(state: FeatureState) -> str:
    """Return one hash over every bit of item state; equal states have equal hashes."""
    scores = state.trending.scores
    scored = np.flatnonzero(scores.any(axis=0))
    columns = int(scored[-1]) + 1 if len(scored) else 1
    parts = {
        "epoch": state.epoch,
        "at_ms": state.at_ms,
        "items": content_digest(state.items.used().tobytes()),
        "names": content_digest(state.names.names[: state.items.count].tobytes()),
        "authors": content_digest(state.authors.used().tobytes()),
        "topics": content_digest(state.topics.used().tobytes()),
        "trending": content_digest(state.trending.top.tobytes()),
        "trending_scores": content_digest(scores[:, :columns].tobytes()),
        "trending_landmark_ms": state.trending.landmark_ms,
        "surfaces": content_digest(state.surfaces.sums.tobytes()),
        "surfaces_at_ms": state.surfaces.at_ms,
        "ids": [_set_digest(table) for table in state.recent_ids.tables],
        "ids_began_at_ms": state.recent_ids.began_at_ms,
    }
    return content_digest(canonical_json(parts))


def _set_digest(table: np.ndarray[tuple[int, int], np.dtype[np.uint64]]) -> str:
    ids = table[(table != 0).any(axis=1)]
    return content_digest(ids[np.lexsort((ids[:, 1], ids[:, 0]))].tobytes())
