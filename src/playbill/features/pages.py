"""Pages of mapped memory, entered into the page table before anybody waits for them.

A page that is in memory costs the first who reads it a fault all the same: about a microsecond, and
tens of them in a virtual machine.

Source: madvise(2), MADV_POPULATE_READ; posix_fadvise(2); decision 0053.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Rest = Callable[[], None]
"""Called between two parts of long work; whoever does it beside requests rests there."""
_PART_BYTES = 1 << 22
"""Entered at once: whoever needs the process's map for something else waits that long."""
_MOST_BYTES = 1 << 29
_AHEAD_BYTES = 1 << 17
"""Asked for ahead at once; of more, the system may silently leave out what lies behind."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_POPULATE_READ = 22
_MAPS = Path("/proc/self/maps")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def touch(*arrays: npt.NDArray[Any], rest: Rest = lambda: None) -> None:
    """Have every page of contiguous arrays at hand; a pass for a thread, with rests in between."""
    for array in arrays:
        if array.nbytes and not _enter(array.ctypes.data, array.nbytes, rest):
            array.reshape(-1).view(np.uint8)[::_PAGE].max()


def enter_file(path: Path, first: int, most_bytes: int) -> int:
    """Have some of what a file holds from a byte on at hand, wherever this process maps it.

    Half a gibibyte at most, for a thread that has other things to do. What has to come from the
    disk is asked for ahead, since that brings single pages: a page that came as a part of megabytes
    is slow to write (decision 0053).

    Args:
        path: of the file.
        first: what lies before it is at hand already.
        most_bytes: a larger file is left alone.

    Returns:
        How much of the file is at hand; ``first`` where that is all of it, where it is gone, large
        or not mapped, or the system has no way to do this.
    """
    try:
        about = path.stat()
        maps = _MAPS.read_text().splitlines()
    except OSError:
        return first
    if about.st_size > most_bytes:
        return first
    name, done = os.path.realpath(path), first
    for line in maps:
        addresses, _, offset, _, inode, *mapped = line.split(maxsplit=5)
        begin, end = (int(address, 16) for address in addresses.split("-"))
        last = min(about.st_size, int(offset, 16) + end - begin, first + _MOST_BYTES)
        if int(inode) == about.st_ino and mapped == [name] and int(offset, 16) <= first < last:
            if not _enter_ahead(path, first, begin - int(offset, 16), last):
                return first
            done = last
    return done


def fetch_one_by_one(file: int, first: int, size: int) -> None:
    """Have the system fetch a stretch of an open file as single pages, without waiting for them.

    Args:
        file: its descriptor.
        first: the first byte.
        size: how many bytes.
    """
    for at in range(first, first + size, _AHEAD_BYTES):
        ahead = min(_AHEAD_BYTES, first + size - at)
        os.posix_fadvise(file, at, ahead, os.POSIX_FADV_WILLNEED)


def _enter_ahead(path: Path, first: int, address: int, last: int) -> bool:
    """Return whether bytes ``first`` to ``last`` of a file could be entered.

    Args:
        path: of the file.
        first: the first byte.
        address: where the file's byte 0 is, or would be, mapped.
        last: the byte after the last one.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        for at in range(first, last, _PART_BYTES):
            size = min(_PART_BYTES, last - at)
            fetch_one_by_one(file, at, size)
            if not _enter(address + at, size):
                return False
    finally:
        os.close(file)
    return True


def _enter(address: int, size: int, rest: Rest = lambda: None) -> bool:
    """Return whether all pages of a stretch of memory could be entered, part by part."""
    end, at = address + size, address - address % _PAGE
    while at < end:
        if _libc.madvise(at, min(_PART_BYTES, end - at), _POPULATE_READ):
            return False
        at += _PART_BYTES
        rest()
    return True
