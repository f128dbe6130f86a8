"""The embedded event log: one SQLite file a partition, one row a batch, fsync on commit.

Source: docs/decisions/0002-log-of-record-batches.md
"""

import fcntl
import os
import re
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playbill.contracts import Batch, BatchKind, PartitionWriter, StoredBatch
from playbill.core import Conflict, DependencyUnavailable, InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  records INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT
"""
_READ = (
    "SELECT position, at_ms, kind, records, payload FROM batches"
    " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
)
_INSERT = "INSERT INTO batches (at_ms, kind, records, payload) VALUES (?, ?, ?, ?)"
_NEWEST = "SELECT coalesce(max(position), 0) FROM batches"
_END = (1 << 63) - 1


class SqliteEventLog:
    """Partitions in a folder. Any number of processes read; each partition has one writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers = threading.local()

    def writer(self, partition: str) -> PartitionWriter:
        """Open a partition for writing, creating it.

        Raises:
            Conflict: another process holds it.
            DependencyUnavailable: the folder cannot be written.
        """
        return _SqliteWriter(self._path(partition))

    def partitions(self) -> list[str]:
        """Return the names of all partitions, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.sqlite"))

    def read(
        self, partition: str, after: int, limit: int, up_to: int | None = None
    ) -> list[StoredBatch]:
        """Return at most ``limit`` batches past ``after`` and not past ``up_to``, in order."""
        rows = self._query(partition, _READ, (after, _END if up_to is None else up_to, limit))
        return [
            StoredBatch(position, at_ms, BatchKind(kind), records, payload)
            for position, at_ms, kind, records, payload in rows
        ]

    def last_offset(self, partition: str) -> int:
        """Return the offset of the newest batch, 0 when there is none."""
        rows = self._query(partition, _NEWEST, ())
        return int(rows[0][0]) if rows else 0

    def close(self) -> None:
        """Close this thread's readers."""
        for reader in vars(self._readers).pop("by_name", {}).values():
            reader.close()

    def _path(self, partition: str) -> Path:
        if not _NAME.fullmatch(partition):
            raise InvalidInput(f"{partition!r} is not a partition's name; use a-z, 0-9 and '-'")
        return self._folder / f"{partition}.sqlite"

    def _reader(self, partition: str) -> sqlite3.Connection | None:
        readers: dict[str, sqlite3.Connection] = vars(self._readers).setdefault("by_name", {})
        reader = readers.get(partition)
        if reader is None:
            path = self._path(partition)
            if not path.exists():
                return None
            address = f"{path.absolute().as_uri()}?mode=ro"
            reader = sqlite3.connect(address, uri=True, timeout=_BUSY_S)
            readers[partition] = reader
        return reader

    def _query(self, partition: str, query: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
        try:
            reader = self._reader(partition)
            return [] if reader is None else reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):
                return []
            raise DependencyUnavailable(
                f"the log cannot be read: {error}",
                code="log_unavailable",
                hint="check the log's disk; restore the partition from a backup if it is damaged",
            ) from error


class _SqliteWriter:
    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DependencyUnavailable(
                f"the log folder cannot be written: {error.strerror}", code="log_unavailable"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Conflict(
                f"partition {path.stem!r} is written by another process",
                hint="stop the other playbill that runs on this home",
            ) from None
        try:
            self._open(path)
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise _refused(error) from error

    def _open(self, path: Path) -> None:
        if not path.exists():
            # SQLite gives its journal the mode of the file that it finds.
            path.touch(0o600)
        self._db = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(_SCHEMA)
        ((self._newest,),) = self._db.execute(_NEWEST).fetchall()

    def append(self, batches: Sequence[Batch], at_ms: int) -> int:
        rows = [(at_ms, batch.kind, batch.count, batch.payload) for batch in batches]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            newest = self._newest
            for row in rows:
                newest = self._db.execute(_INSERT, row).lastrowid
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise _refused(error) from error
        self._newest = newest
        return int(newest)

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)


def _refused(error: sqlite3.Error | OSError) -> DependencyUnavailable:
    return DependencyUnavailable(
        f"the log cannot be written: {error}; nothing was stored",
        code="log_unavailable",
        hint="free space on the log's disk, then send again",
    )
