"""Files kept in memory: what is mapped stays there, whatever else the machine reads and writes.

Source: mlock(2); docs/decisions/0038-what-requests-read-stays-in-memory.md
"""

import ctypes
import mmap
import os
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_PART_BYTES = 1 << 26
"""Locked at once: whoever waits for the end of it waits for a moment."""
Identity = tuple[int, int]
"""Device and inode: a file that took another's place is another file."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


@dataclass(slots=True)
class _Kept:
    """A file as far as it is locked; letting go of the maps unlocks it."""

    bytes: int = 0
    maps: list[mmap.mmap] = field(default_factory=list)


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

    def keep(self, paths: Sequence[Path]) -> Iterator[int]:
        """Keep these files as long as they are now, the first ones first, and no others.

        A file that is gone, or cannot be read, is passed over. One that has grown since costs what
        it has grown by.

        Yields:
            How many bytes are kept so far; between two of them the caller may give up.
        """
        self.refused = False
        found = [(path, about) for path in paths if (about := _about(path)) is not None]
        named = {_identity(about) for _, about in found}
        for identity in self._kept.keys() - named:
            del self._kept[identity]
        for path, about in found:
            kept = self._kept.setdefault(_identity(about), _Kept())
            if about.st_size < kept.bytes:
                kept = self._kept[_identity(about)] = _Kept()
            for _ in self._grow(path, kept, about.st_size):
                yield self.bytes
            if self.refused:
                return

    def _grow(self, path: Path, kept: _Kept, size: int) -> Iterator[None]:
        """Lock what of a file is not locked yet, part by part."""
        while kept.bytes < size:
            first = kept.bytes // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
            end = min(size, first + _PART_BYTES)
            if self.bytes + end - kept.bytes > self._most_bytes:
                return
            try:
                with path.open("rb") as file:
                    mapped = mmap.mmap(
                        file.fileno(), end - first, prot=mmap.PROT_READ, offset=first
                    )
            except (OSError, ValueError):
                return
            if _libc.mlock(np.frombuffer(mapped, np.uint8).ctypes.data, end - first):
                self.refused = True
                return
            kept.maps.append(mapped)
            kept.bytes = end
            yield


def lockable_bytes() -> int | None:
    """Return how much the system lets this process lock at most, None for all there is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY or os.geteuid() == 0 else soft


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
