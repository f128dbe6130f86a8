"""Merging lists of rows."""

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def room_for(count):
    """Return slots for a set of ``count`` rows, empty."""
    size = 16
    while size < 2 * count:
        size *= 2
    return np.full(size, -1, np.int64)


@njit(nogil=True, cache=True, inline="always")
def joins(slots, row):
    """Put a row in the set; return whether it is new there."""
    last = np.uint64(slots.shape[0] - 1)
    slot = (np.uint64(row) * _SPREAD >> np.uint64(32)) & last
    while slots[slot] >= 0 and slots[slot] != row:
        slot = (slot + np.uint64(1)) & last
    new = slots[slot] < 0
    slots[slot] = row
    return new


@njit(nogil=True, cache=True)
def first_places(rows, places):
    """Fill ``places`` with where each row stands for the first time; return how many rows differ.

    Args:
        rows: (C,) int64, not negative.
        places: (C,) int64, ascending.
    """
    slots = room_for(rows.shape[0])
    count = 0
    for c in range(rows.shape[0]):
        if joins(slots, rows[c]):
            places[count] = c
            count += 1
    return count


@njit(nogil=True, cache=True)
def joined(first, second, below, found):
    """Fill the rows of two lists, each once, where it came first; return how many.

    Args:
        first: (N,) int64, negative for none.
        second: (M,) likewise.
        below: rows from here on are left out.
        found: (C,) int64; when it is full the rest is left out.
    """
    slots = room_for(found.shape[0])
    count = 0
    for rows in (first, second):
        for n in range(rows.shape[0]):
            if count == found.shape[0]:
                return count
            if 0 <= rows[n] < below and joins(slots, rows[n]):
                found[count] = rows[n]
                count += 1
    return count


@njit(nogil=True, cache=True)
def merge(parts, merged, named):
    """Fill each row once, where it came first, and which list that was; return how many.

    Args:
        parts: a tuple of S lists, (C,) int64 rows each, not negative.
        merged: int64, room for all of them.
        named: uint8, likewise; 1 for the first list.
    """
    slots = room_for(merged.shape[0])
    count, name = 0, 1
    for rows in parts:
        for c in range(rows.shape[0]):
            if joins(slots, rows[c]):
                merged[count], named[count] = rows[c], name
                count += 1
        name += 1
    return count
