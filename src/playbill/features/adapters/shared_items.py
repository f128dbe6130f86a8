"""Item state in shared memory: one writer publishes epochs, any number of readers look on.

A sequence number is odd while an epoch is being written. A reader that sees it change reads
again; one that waits too long reads on and says so (``settled`` False). Loads and stores keep
their order on x86-64, which is what the numbers below rely on; decision 0006.
"""

import contextlib
import mmap
import os
import struct
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import DependencyUnavailable
from playbill.features.definitions import features_digest
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, VIDEO_NAME, VISIBLE
from playbill.features.pages import touch
from playbill.features.records_kernel import mark_different, put_records, take_records
from playbill.features.state import FeatureState, RecordTable
from playbill.features.trending import TRENDING_LIST

_PAGE = 4096
_MAGIC = 0x506C617962696C6D
_HEADER = np.dtype(
    [
        ("magic", "<u8"),
        ("layout", "<u8"),
        ("sequence", "<u8"),
        ("epoch", "<i8"),
        ("at_ms", "<i8"),
        ("lag_ms", "<i8"),
        ("items", "<i8"),
        ("authors", "<i8"),
        ("topics", "<i8"),
        ("visible", "<i8"),
    ]
)
_SEQUENCE = list(_HEADER.fields or ()).index("sequence")
"""The place of the sequence number among the numbers of the header."""
_RESERVE_ROWS = 1 << 14
_PART_BYTES = 1 << 22
_NAMES = 5
"""The place of video names among the parts of the file."""

Records = npt.NDArray[np.void]


def _layout_key() -> int:
    return int(features_digest()[7:23], 16)


def _words(records: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return (N, W) the words of (N,) records, a view."""
    return records.view(np.uint64).reshape(len(records), records.itemsize // 8)


def _taken(records: Records, rows: npt.NDArray[np.int64]) -> Records:
    """Return copies of the records of some rows."""
    taken = np.empty(len(rows), records.dtype)
    take_records(_words(records), rows, _words(taken))
    return taken


def _different(these: npt.NDArray[Any], those: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the rows in which two tables differ, of those that both have."""
    rows = min(len(these), len(those))
    odd = np.empty(rows, np.bool_)
    mark_different(_words(these[:rows]), _words(those[:rows]), odd)
    return np.flatnonzero(odd)


def _visible(items: Records) -> int:
    """Return how many of some records are visible videos."""
    return int(np.count_nonzero(items["flags"] & VISIBLE))


def _tables(state: FeatureState) -> dict[str, RecordTable]:
    return {"items": state.items, "authors": state.authors, "topics": state.topics}


@contextlib.contextmanager
def _room_for_rows() -> Iterator[None]:
    """Say what it means that the file system refuses."""
    try:
        yield
    except OSError as error:
        raise DependencyUnavailable(
            f"no shared memory for more rows: {error.strerror}",
            code="item_state_unavailable",
            hint="give the run folder's file system more room, or lower item_capacity",
        ) from error


def _write(file: int, data: memoryview, at: int) -> None:
    """Write all of it, however little the system takes at once."""
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written


def _foreign(file: int) -> bool:
    """Return whether a file has a header, and not ours; one half made has none yet."""
    magic, layout = struct.unpack("<QQ", os.pread(file, 16, 0))
    return magic != 0 and (magic, layout) != (_MAGIC, _layout_key())


class SharedItems:
    """The mapped file. Its arrays are views; only the updater writes to them.

    Args:
        path: a file in memory-backed storage.
        item_capacity: videos it can hold.
        group_capacity: authors it can hold, and topics.
        regions: declared regions; one list of trending videos each, and one for everywhere.
        create: whether to make or replace the file where it is missing or laid out otherwise.

    Raises:
        DependencyUnavailable: the file is missing, foreign, or has no room to grow.
    """

    def __init__(
        self, path: Path, *, item_capacity: int, group_capacity: int, regions: int, create: bool
    ) -> None:
        self.path = path
        self._item_capacity, self._group_capacity = item_capacity, group_capacity
        sizes = [
            _PAGE,
            item_capacity * ITEM_RECORD.itemsize,
            group_capacity * GROUP_RECORD.itemsize,
            group_capacity * GROUP_RECORD.itemsize,
            (regions + 1) * TRENDING_LIST * 8,
            item_capacity * VIDEO_NAME.itemsize,
        ]
        offsets = np.cumsum([0, *(-(-size // _PAGE) * _PAGE for size in sizes)])
        self._size = int(offsets[-1])
        self._offsets = [int(offset) for offset in offsets[:-1]]
        self._file = self._open(create)
        # The map keeps the file alive; the descriptor goes with this object, whole or not.
        self._release = weakref.finalize(self, os.close, self._file)
        self._map = mmap.mmap(
            self._file, self._size, prot=mmap.PROT_READ | (mmap.PROT_WRITE if create else 0)
        )
        self.inode = os.fstat(self._file).st_ino
        self.header = self._view(_HEADER, 0, 1)
        # The header as its numbers: ten times faster for requests than naming its fields.
        self._numbers = self.header.view(np.int64)
        self.items = self._view(ITEM_RECORD, 1, item_capacity)
        self.authors = self._view(GROUP_RECORD, 2, group_capacity)
        self.topics = self._view(GROUP_RECORD, 3, group_capacity)
        self.trending = self._view(np.dtype("<i8"), 4, (regions + 1) * TRENDING_LIST).reshape(
            regions + 1, TRENDING_LIST
        )
        self.names = self._view(VIDEO_NAME, _NAMES, item_capacity)
        if create:
            self._initialise()
        self._check()

    def publish(
        self,
        state: FeatureState,
        rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
        lag_ms: int,
    ) -> None:
        """Copy changed rows of items, authors and topics in, and move to the state's epoch.

        Raises:
            DependencyUnavailable: there is no room left for new rows; nothing was copied.
        """
        self._reserve(state)
        head = self.header[0]
        tables = self.items, self.authors, self.topics
        sources = state.items.records, state.authors.records, state.topics.records
        # What can be done before it is done before: readers wait while the number is odd. What is
        # replaced is read for its memory to be near, too.
        ready = [_taken(source, changed) for source, changed in zip(sources, rows, strict=True)]
        replaced = [_taken(table, changed) for table, changed in zip(tables, rows, strict=True)]
        more = _visible(ready[0]) - _visible(replaced[0])
        new = rows[0][rows[0] >= int(head["items"])]
        names = state.names.names[new]
        head["sequence"] |= np.uint64(1)
        for table, changed, records in zip(tables, rows, ready, strict=True):
            put_records(_words(table), changed, _words(records))
        self.names[new] = names
        self.trending[:] = state.trending.top
        # Videos last: a reader that counts a video must find its author and topics counted.
        head["topics"], head["authors"] = state.topics.count, state.authors.count
        head["items"] = state.items.count
        head["visible"] += more
        head["epoch"], head["at_ms"], head["lag_ms"] = state.epoch, state.at_ms, lag_ms
        head["sequence"] += np.uint64(1)

    def publish_all(self, state: FeatureState) -> None:
        """Bring everything to a state's epoch, as after a recovery, touching only what differs.

        Rows that no reader counts yet are written first, while readers go on.

        Raises:
            DependencyUnavailable: there is no room left for new rows; no reader sees any.
        """
        self._check_room(state)
        head = self.header[0]
        names = state.names.names[: state.items.count]
        odd = []
        for place, (target, source, counted) in enumerate(
            (
                (self.items, state.items.used(), "items"),
                (self.authors, state.authors.used(), "authors"),
                (self.topics, state.topics.used(), "topics"),
            ),
            start=1,
        ):
            known = int(head[counted])
            self._append(place, source, known)
            odd.append(_different(target[:known], source[:known]))
        known = int(head["items"])
        self._append(_NAMES, names, known)
        renamed = _different(self.names[:known], names[:known])
        head["sequence"] |= np.uint64(1)
        self.names[renamed] = names[renamed]
        # What is published next is counted by how it differs from what is there.
        head["visible"] = _visible(self.items[: min(known, len(names))]) + _visible(
            state.items.used()[known:]
        )
        self.publish(state, (odd[0], odd[1], odd[2]), 0)

    def sequence(self) -> int:
        """Return the sequence number; odd while an epoch is being written."""
        return int(self._numbers.item(_SEQUENCE))

    def counts(self) -> tuple[int, int, int, int, int]:
        """Return how many items, authors and topics are in use, the epoch, and its instant.

        Videos are read first: their authors and topics are counted by then.
        """
        _, _, _, epoch, at_ms, _, items, authors, topics, _ = self._numbers.tolist()
        return items, authors, topics, epoch, at_ms

    def touch(self) -> None:
        """Have every page in use at hand, so that no request is the first; a pass for a thread."""
        head = self.header[0]
        items, authors, topics = (int(head[name]) for name in ("items", "authors", "topics"))
        touch(
            self.items[:items],
            self.names[:items],
            self.authors[:authors],
            self.topics[:topics],
            self.trending,
        )

    def present(self) -> bool:
        """Return whether the mapped file is still the one at its path."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the file; views that others still hold keep the memory alive."""
        self._release()

    def _open(self, create: bool) -> int:
        try:
            flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
            file = os.open(self.path, flags, 0o600)
            size = os.fstat(file).st_size
            if create and (size != self._size or _foreign(file)):
                os.close(file)
                self.path.unlink()
                file = os.open(self.path, flags, 0o600)
                os.ftruncate(file, self._size)
                size = self._size
        except OSError as error:
            raise DependencyUnavailable(
                f"item state cannot be mapped: {error.strerror}",
                code="item_state_unavailable",
                hint="start playbill up; the updater makes the file",
            ) from error
        if size != self._size:
            os.close(file)
            raise DependencyUnavailable(
                f"item state has {size:,} bytes; these settings expect {self._size:,}",
                code="item_state_unavailable",
                hint="restart playbill up, so that all processes use the same settings",
            )
        return file

    def _view(self, dtype: np.dtype[Any], place: int, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self._map, dtype, count, self._offsets[place])

    def _initialise(self) -> None:
        head = self.header[0]
        if int(head["magic"]) == _MAGIC and int(head["layout"]) == _layout_key():
            return
        os.posix_fallocate(self._file, 0, _PAGE)
        head["layout"] = _layout_key()
        self._reserve_rows(4, 0, self.trending.size, self.trending.itemsize)
        self.trending[:] = -1
        head["magic"] = _MAGIC

    def _check(self) -> None:
        head = self.header[0]
        if int(head["magic"]) != _MAGIC or int(head["layout"]) != _layout_key():
            raise DependencyUnavailable(
                "item state was laid out by another version of the feature definitions",
                code="item_state_unavailable",
                hint="wait for the updater, which lays it out anew",
            )

    def _check_room(self, state: FeatureState) -> None:
        for name, table in _tables(state).items():
            capacity = self._item_capacity if name == "items" else self._group_capacity
            if table.count > capacity:
                setting = "item_capacity" if name == "items" else "group_capacity"
                raise DependencyUnavailable(
                    f"item state has {table.count:,} {name}; there is room for {capacity:,}",
                    code="item_capacity",
                    hint=f"raise state.{setting} in playbill.toml and restart playbill up",
                )

    def _reserve(self, state: FeatureState) -> None:
        """Make sure that rows about to be written have memory, so that a write cannot fault."""
        self._check_room(state)
        for place, (name, table) in enumerate(_tables(state).items(), start=1):
            known = int(self.header[name][0])
            if table.count > known:
                self._reserve_rows(place, known, table.count, table.records.itemsize)
                if name == "items":
                    self._reserve_rows(_NAMES, known, table.count, VIDEO_NAME.itemsize)

    def _reserve_rows(self, place: int, first: int, last: int, size: int) -> None:
        begin = self._offsets[place] + first * size
        length = min((last - first + _RESERVE_ROWS) * size, self._size - begin)
        with _room_for_rows():
            os.posix_fallocate(self._file, begin, length)

    def _append(self, place: int, records: npt.NDArray[Any], first: int) -> None:
        """Write the rows from ``first`` on to the file: through the map each page would fault."""
        size = records.itemsize
        data = records[first:].view(np.uint8).data
        begin = self._offsets[place] + first * size
        with _room_for_rows():
            for at in range(0, len(data), _PART_BYTES):
                _write(self._file, data[at : at + _PART_BYTES], begin + at)
