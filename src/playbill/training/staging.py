"""Scratch files of a build: columns on disk in the order of replay, until labels are known."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from playbill.training.columns import history_batch, row_batch
from playbill.training.schema import HISTORIES_SCHEMA, OUTCOME, ROW_META, SNAPSHOT, STAGED_SCHEMA

Records = npt.NDArray[np.void]
Floats = npt.NDArray[np.float32]

_CHUNK_ROWS = 65_536

KEYS_SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("request", pa.uint64()),
        ("user_a", pa.uint64()),
        ("user_b", pa.uint64()),
        ("video", pa.uint64()),
        ("at_ms", pa.int64()),
    ]
)
"""What a row is joined by."""

OUTCOMES_SCHEMA = pa.schema(
    [
        ("request", pa.uint64()),
        ("user_a", pa.uint64()),
        ("user_b", pa.uint64()),
        ("video", pa.uint64()),
        ("at_ms", pa.int64()),
        ("watch_ms", pa.int32()),
        ("labels", pa.uint8()),
        ("watched", pa.bool_()),
    ]
)


class Spool:
    """Parts of columns that go to one Arrow file, chunk by chunk."""

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        batch: Callable[..., pa.RecordBatch],
    ) -> None:
        self._batch = batch
        self._parts: list[tuple[npt.NDArray[np.generic], ...]] = []
        self._waiting = 0
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)

    def add(self, *columns: npt.NDArray[np.generic]) -> None:
        """Take arrays of one length in; they must not change afterwards."""
        if not len(columns[0]):
            return
        self._parts.append(columns)
        self._waiting += len(columns[0])
        if self._waiting >= _CHUNK_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._parts:
            parts = zip(*self._parts, strict=True)
            columns = [part[0] if len(part) == 1 else np.concatenate(part) for part in parts]
            self._writer.write_batch(self._batch(*columns))
            self._parts, self._waiting = [], 0

    def close(self) -> None:
        """Write what waits and finish the file."""
        self.flush()
        self._writer.close()
        self._file.close()


class Stage:
    """The four scratch files of a build.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = Spool(folder / "rows.arrow", STAGED_SCHEMA, row_batch)
        self.keys = Spool(folder / "keys.arrow", KEYS_SCHEMA, _key_batch)
        self.outcomes = Spool(folder / "outcomes.arrow", OUTCOMES_SCHEMA, _outcome_batch)
        self.histories = Spool(folder / "histories.arrow", HISTORIES_SCHEMA, history_batch)

    def add_rows(self, meta: Records, features: Floats) -> None:
        """Take (N,) ``ROW_META`` and (N, F) features in."""
        assert meta.dtype == ROW_META
        self.rows.add(meta, features)
        self.keys.add(meta)

    def add_outcomes(self, outcomes: Records) -> None:
        """Take (E,) ``OUTCOME`` in."""
        assert outcomes.dtype == OUTCOME
        self.outcomes.add(outcomes)

    def add_snapshots(self, snapshots: Records) -> None:
        """Take (S,) ``SNAPSHOT`` in."""
        assert snapshots.dtype == SNAPSHOT
        self.histories.add(snapshots)

    def close(self) -> None:
        """Finish the files, so that they can be read."""
        for spool in (self.rows, self.keys, self.outcomes, self.histories):
            spool.close()


def staged_batches(folder: Path, name: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a finished scratch file in the order they were written."""
    with pa.memory_map(str(folder / f"{name}.arrow")) as source:
        reader = pa.ipc.open_file(source)
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place)


def _key_batch(meta: Records) -> pa.RecordBatch:
    columns = [
        meta["row_id"],
        meta["request"],
        meta["user"][:, 0],
        meta["user"][:, 1],
        meta["video"],
        meta["at_ms"],
    ]
    arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=KEYS_SCHEMA)


def _outcome_batch(outcomes: Records) -> pa.RecordBatch:
    columns = [
        outcomes["request"],
        outcomes["user"][:, 0],
        outcomes["user"][:, 1],
        outcomes["video"],
        outcomes["at_ms"],
        outcomes["watch_ms"],
        outcomes["labels"],
        outcomes["watched"] == 1,
    ]
    arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=OUTCOMES_SCHEMA)
