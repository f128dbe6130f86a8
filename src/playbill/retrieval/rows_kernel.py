"""Passes over the whole catalogue, without the interpreter's lock: for threads beside a loop."""

import numpy as np
from numba import njit

_STRIDE, _LATE = 1_024, 65_536
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def still_there(items, rows, keys):
    """Return whether (N,) rows are those of the videos with the keys of their places.

    Every row must be one of the state's; one in 1,024, and the last 65,536 of them, are looked at.
    Videos have their rows in the order in which they came, so where two histories part, every row
    after that differs: the last ones tell, and each look costs a miss of the cache.

    Args:
        items: (I,) records.
        rows: (N,) int32.
        keys: (N,) uint64.
    """
    last = np.int64(-1)
    for n in range(rows.shape[0]):
        last = max(last, np.int64(rows[n]))
    late = last + 1 - _LATE
    for n in range(rows.shape[0]):
        row = rows[n]
        if row < 0 or row >= items.shape[0]:
            return False
        if (n % _STRIDE == 0 or row >= late) and items[row].key != keys[n]:
            return False
    return True


@njit(nogil=True, cache=True)
def find(among, keys, order, rows):
    """Fill (K,) the place of each of (K,) keys among others, -1 for none.

    Args:
        among: (I,) uint64.
        keys: (K,) uint64, ascending.
        order: (K,) int64, where the place of each key goes.
        rows: (K,) int64.
    """
    size = 64
    while size < 16 * keys.shape[0]:
        size *= 2
    marked = np.zeros(size, np.bool_)
    for k in range(keys.shape[0]):
        marked[(keys[k] * _SPREAD >> np.uint64(32)) & np.uint64(size - 1)] = True
        rows[k] = -1
    for i in range(among.shape[0]):
        key = among[i]
        if not marked[(key * _SPREAD >> np.uint64(32)) & np.uint64(size - 1)]:
            continue
        k = np.searchsorted(keys, key)
        while k < keys.shape[0] and keys[k] == key:
            rows[order[k]] = i
            k += 1
