"""Passes over the whole catalogue, without the interpreter's lock: for threads beside a loop."""

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def still_there(items, rows, keys):
    """Return whether each of (N,) rows holds the video with the key of its place.

    Args:
        items: (I,) records.
        rows: (N,) int32.
        keys: (N,) uint64.
    """
    for n in range(rows.shape[0]):
        if rows[n] < 0 or rows[n] >= items.shape[0] or items[rows[n]].key != keys[n]:
            return False
    return True


@njit(nogil=True, cache=True)
def find(items, keys, order, rows):
    """Fill (K,) the row of each of (K,) keys, -1 for none.

    Args:
        items: (I,) records.
        keys: (K,) uint64, ascending.
        order: (K,) int64, where the row of each key goes.
        rows: (K,) int64.
    """
    size = 64
    while size < 16 * keys.shape[0]:
        size *= 2
    marked = np.zeros(size, np.bool_)
    for k in range(keys.shape[0]):
        marked[(keys[k] * _SPREAD >> np.uint64(32)) & np.uint64(size - 1)] = True
        rows[k] = -1
    for i in range(items.shape[0]):
        key = items[i].key
        if not marked[(key * _SPREAD >> np.uint64(32)) & np.uint64(size - 1)]:
            continue
        k = np.searchsorted(keys, key)
        while k < keys.shape[0] and keys[k] == key:
            rows[order[k]] = i
            k += 1
