"""What of an LMDB file is on the disk: always one whole commit, though commits do not wait for it.

LMDB leaves every page alone that a reader may look at. So a reader is kept at the last commit that
is known to be on the disk, and the two pages that say where its trees begin are kept in a file
beside. After a power cut they are put back: whatever reached the disk of later commits lies in
pages that this one does not use.

Source: docs/decisions/0025-rows-reach-the-disk-behind-the-fold.md
"""

import contextlib
import os
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import lmdb
import msgspec

from playbill.core import BrokenContract, replace_file, sync_folder

DATA_FILE, POINT_FILE = "data.mdb", "on-disk"
_MAGIC = 0xBEEFC0DE
_HEAD_MAGIC, _HEAD_LAST_PAGE = struct.Struct("<16xI"), struct.Struct("<136xQQ")
_SYNC_ROWS = 50_000
_MOST_ROWS = 8 * _SYNC_ROWS


class _Point(msgspec.Struct, frozen=True):
    """A commit that is on the disk: the machine's start it belongs to, its number, its heads."""

    boot: str
    number: int
    heads: bytes


def put_back(folder: Path, boot: str) -> None:
    """Make a file whole that lost its power: it stands at the last commit known to be on the disk.

    What another process of this boot wrote is in the system's memory, so nothing is lost there. For
    the one writer, before it opens the file.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        point = msgspec.msgpack.decode((folder / POINT_FILE).read_bytes(), type=_Point)
        size = (folder / DATA_FILE).stat().st_size
    except (FileNotFoundError, msgspec.DecodeError):
        return
    if boot and point.boot == boot:
        return
    last_page, number = _newest(point.heads)
    if number != point.number or (last_page + 1) * (len(point.heads) // 2) > size:
        return
    file = os.open(folder / DATA_FILE, os.O_WRONLY)
    try:
        os.pwrite(file, point.heads, 0)
        os.fsync(file)
    finally:
        os.close(file)


class DiskPoint:
    """Move the commit that outlives a power cut along, beside the one thread that commits.

    Args:
        env: open for writing, nothing committed to it yet.
        folder: where it lies.
        boot: as of ``boot_id``, nothing where that is unknown.

    Raises:
        OSError: the disk refused.
        BrokenContract: the file is not laid out as this knows it.
    """

    def __init__(self, env: lmdb.Environment, folder: Path, boot: str) -> None:
        self._env = env
        self._folder = folder
        self._boot = boot
        self._file = os.open(folder / DATA_FILE, os.O_RDONLY)
        self._heads_size = 2 * env.stat()["psize"]
        self._pool = ThreadPoolExecutor(1, "user-store-disk")
        self._kept: lmdb.Transaction | None = None
        self._next: tuple[lmdb.Transaction, Future[None]] | None = None
        self._rows = 0
        self._number = 0
        self.sync()

    def committed(self, rows: int) -> None:
        """Count what a commit wrote; once it is much, begin to put it on the disk.

        Waits where the disk is far behind, so that what a power cut costs is bounded.

        Raises:
            OSError: the disk refused.
        """
        self._rows += rows
        self._settle(wait=self._rows >= _MOST_ROWS)
        if self._rows >= _SYNC_ROWS:
            self._begin()

    def reached(self, number: int) -> bool:
        """Return whether a commit outlives a power cut, and see to it that it soon will.

        Raises:
            OSError: the disk refused.
        """
        self._settle(wait=False)
        if self._number < number:
            self._begin()
        return self._number >= number

    def _begin(self) -> None:
        """Begin to put the last commit on the disk, unless that goes on already."""
        if self._next is not None:
            return
        reader = self._env.begin()
        number, heads = reader.id(), os.pread(self._file, self._heads_size, 0)
        if _newest(heads)[1] != number:
            reader.abort()
            raise BrokenContract(
                f"the newest head of {DATA_FILE} is not that of commit {number}",
                hint="use the version of lmdb that pyproject.toml names",
            )
        self._rows = 0
        point = _Point(self._boot, number, heads)
        self._next = reader, self._pool.submit(self._write, point)

    def sync(self) -> None:
        """Return once the last commit is on the disk.

        Raises:
            OSError: the disk refused.
        """
        self._settle(wait=True)
        self._begin()
        self._settle(wait=True)

    def close(self) -> None:
        """Put everything on the disk, if it takes it, and let go."""
        with contextlib.suppress(OSError):
            self.sync()
            (self._folder / POINT_FILE).unlink()
            sync_folder(self._folder)
        self._pool.shutdown()
        if self._kept is not None:
            self._kept.abort()
        os.close(self._file)

    def _write(self, point: _Point) -> None:
        os.fdatasync(self._file)
        replace_file(self._folder / POINT_FILE, msgspec.msgpack.encode(point))

    def _settle(self, *, wait: bool) -> None:
        """Let go of the commit before, once the next one is on the disk."""
        if self._next is None or not (wait or self._next[1].done()):
            return
        (reader, written), self._next = self._next, None
        try:
            written.result()
        except OSError:
            reader.abort()
            raise
        if self._kept is not None:
            self._kept.abort()
        self._kept, self._number = reader, reader.id()


def _newest(heads: bytes) -> tuple[int, int]:
    """Return the last page and the number of the newer of two heads; zeros where they are none."""
    size = len(heads) // 2
    found = [
        _HEAD_LAST_PAGE.unpack_from(head)
        for head in (heads[:size], heads[size:])
        if len(head) >= _HEAD_LAST_PAGE.size and _HEAD_MAGIC.unpack_from(head)[0] == _MAGIC
    ]
    return max(found, key=lambda one: one[1], default=(0, 0))
