"""Files kept in memory: what is mapped stays there, whatever else the machine reads and writes.

Source: mlock(2); docs/decisions/0038-what-requests-read-stays-in-memory.md and
0053-written-pages-come-into-memory-one-by-one.md
"""

import ctypes
import mmap
import os
import resource
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playbill.features import fetch_one_by_one

_PART_BYTES = 1 << 26
"""Locked at once: whoever waits for the end of it waits for a moment."""
_PAGE_BYTES = mmap.ALLOCATIONGRANULARITY
_MAY_LOCK_ALL = 1 << 14
"""CAP_IPC_LOCK among the capabilities of a process."""
Identity = tuple[int, int]
"""Device and inode: a file that took another's place is another file."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
]  # fmt: skip
_libc.munmap.argtypes = _libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_FAILED = ctypes.c_void_p(-1).value


class _Part:
    """A locked part of a file; without the descriptor that Python's own maps hold on to."""

    def __init__(self, file: int, first: int, size: int, *, one_by_one: bool) -> None:
        if one_by_one:
            fetch_one_by_one(file, first, size)
        address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file, first)
        if address in (None, _FAILED):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.release = weakref.finalize(self, _libc.munmap, address, size)
        self.locked_bytes = size
        while self.locked_bytes and _libc.mlock(address, self.locked_bytes):
            self.locked_bytes = self.locked_bytes // 2 // _PAGE_BYTES * _PAGE_BYTES


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that is to be kept, and how its pages shall come from the disk."""

    path: Path
    bytes: int
    one_by_one: bool


@dataclass(slots=True)
class _Kept:
    """A file as far as it is locked: whole parts, and a last one that may grow."""

    bytes: int = 0
    parts: list[_Part] = field(default_factory=list)

    def cut(self) -> None:
        """Let go of the last part."""
        last = self.parts.pop()
        last.release()
        self.bytes = len(self.parts) * _PART_BYTES


class Residence:
    """Keep files in the memory of the machine while this object lives.

    Pages are shared with every process that maps or reads the files, so they are kept once.

    Args:
        most_bytes: of all files together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[Identity, _Kept] = {}
        self.refused = False
        """Whether the system allowed no more at the last call of ``keep``."""

    @property
    def bytes(self) -> int:
        """Return how much is kept."""
        return sum(kept.bytes for kept in self._kept.values())

    def keep(self, paths: Sequence[Path], *, written: Collection[Path] = ()) -> Iterator[int]:
        """Keep these files as long as they are now, the first ones first, and no others.

        A file that is gone, or cannot be read, is passed over. One that has grown since costs what
        it has grown by. Where there is no room for a file, those behind it make some.

        Args:
            paths: of the files.
            written: those of them that others write to, here and there: their pages come from the
                disk one by one, for a part of a large one is slow to write (decision 0053).

        Yields:
            How many bytes are kept so far; between two of them the caller may give up.
        """
        self.refused = False
        found = [(path, about) for path in paths if (about := _about(path)) is not None]
        order = [_identity(about) for _, about in found]
        for identity in self._kept.keys() - set(order):
            del self._kept[identity]
        for place, (path, about) in enumerate(found):
            kept = self._kept.setdefault(order[place], _Kept())
            if about.st_size < kept.bytes:
                kept = self._kept[order[place]] = _Kept()
            wanted = _Wanted(path, about.st_size, one_by_one=path in written)
            for _ in self._grow(wanted, kept, order[place + 1 :]):
                yield self.bytes

    def _grow(self, file: _Wanted, kept: _Kept, behind: Sequence[Identity]) -> Iterator[None]:
        """Lock what of a file is not locked yet, part by part."""
        while kept.bytes < file.bytes:
            first = kept.bytes // _PART_BYTES * _PART_BYTES
            wanted = min(file.bytes - first, _PART_BYTES)
            if not self._room(wanted - (kept.bytes - first), behind):
                return
            try:
                with file.path.open("rb") as opened:
                    part = _Part(opened.fileno(), first, wanted, one_by_one=file.one_by_one)
            except OSError:
                return
            if part.locked_bytes < wanted:
                self.refused = True
            if part.locked_bytes <= kept.bytes - first:
                return
            del kept.parts[first // _PART_BYTES :]
            kept.parts.append(part)
            kept.bytes = first + part.locked_bytes
            yield
            if self.refused:
                return

    def _room(self, more_bytes: int, behind: Sequence[Identity]) -> bool:
        """Return whether so many more fit, letting go of what stands behind where they do not."""
        for identity in reversed(behind):
            later = self._kept.get(identity)
            while later and later.parts and self.bytes + more_bytes > self._most_bytes:
                later.cut()
        return self.bytes + more_bytes <= self._most_bytes


def lockable_bytes() -> int | None:
    """Return how much the system lets this process lock at most, None for all there is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    lines = Path("/proc/self/status").read_text().splitlines()
    able = int(next(line.split()[1] for line in lines if line.startswith("CapEff")), 16)
    return None if soft == resource.RLIM_INFINITY or able & _MAY_LOCK_ALL else soft


def memory_bytes() -> int:
    """Return the size of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _about(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _identity(about: os.stat_result) -> Identity:
    return about.st_dev, about.st_ino
