"""Checkpoints of item state: one file, written aside, synchronised, then renamed."""

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import canonical_json, content_digest, replace_file
from playbill.features.definitions import features_digest
from playbill.features.pages import Rest
from playbill.features.state import FeatureState

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE_BYTES = 1 << 23
_PART_BYTES = 1 << 18
CHECKPOINT_FILE = "item-state.npz"
_ARRAYS = (
    "items", "names", "authors", "topics", "ids_new", "ids_old", "trending_scores", "surface_sums"
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """Why the log must be folded from its beginning: ``why`` is a clause for people."""

    why: str


def load_checkpoint(folder: Path, settings: Settings) -> FeatureState | NoCheckpoint:
    """Return the state of the last checkpoint, or why it cannot be used."""
    try:
        with (
            (folder / CHECKPOINT_FILE).open("rb") as file,
            np.load(file, allow_pickle=False) as saved,
        ):
            # NumPy stops reading where a header says so; only a full pass checks every byte.
            damaged = saved.zip.testzip()
            if damaged is not None:
                return NoCheckpoint(f"the checkpoint is damaged: {damaged} was altered")
            head = msgspec.json.decode(saved["head"].tobytes(), type=_Head)
            if head.features != features_digest():
                return NoCheckpoint("the checkpoint was made by other feature definitions")
            arrays = {name: saved[name] for name in _ARRAYS}
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
    state.items.restore(arrays["items"])
    state.names.restore(arrays["names"])
    state.authors.restore(arrays["authors"])
    state.topics.restore(arrays["topics"])
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
