"""Merging lists of rows."""

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def first_places(rows, places):
    """Fill ``places`` with where each row stands for the first time; return how many rows differ.

    Args:
        rows: (C,) int64, not negative.
        places: (C,) int64, ascending.
    """
    size = 16
    while size < 2 * rows.shape[0]:
        size *= 2
    slots = np.full(size, -1, np.int64)
    count = 0
    for c in range(rows.shape[0]):
        slot = (np.uint64(rows[c]) * _SPREAD >> np.uint64(32)) & np.uint64(size - 1)
        while slots[slot] >= 0 and slots[slot] != rows[c]:
            slot = (slot + np.uint64(1)) & np.uint64(size - 1)
        if slots[slot] < 0:
            slots[slot] = rows[c]
            places[count] = c
            count += 1
    return count


@njit(nogil=True, cache=True)
def merge(rows, ends, codes, merged, named):
    """Fill each row once, where it came first, with the code of its list; return how many.

    Args:
        rows: (C,) int64, lists laid end to end.
        ends: (S,) int64, where each list ends.
        codes: (S,) uint8.
        merged: (C,) int64.
        named: (C,) uint8.
    """
    count = first_places(rows, merged)
    part = 0
    for c in range(count):
        while merged[c] >= ends[part]:
            part += 1
        named[c] = codes[part]
        merged[c] = rows[merged[c]]
    return count
