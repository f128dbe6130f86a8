"""Open-addressing tables: 64-bit keys to rows, and sets of 128-bit ids. Linear probing.

Tables have a power of two places and are grown by their owner before they are two thirds full.
A key of 0 marks an empty place; ``core`` never issues it.
"""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import mixed
from playbill.features.prefetch_kernel import ask_line

_BLOCK = 64
"""So many places are asked for at once, and then written."""


@njit(nogil=True, cache=True)
def find(keys, values, wanted, out):
    """Fill ``out`` (N,) with the values of ``wanted`` (N,) keys, -1 where a key is not there."""
    mask = np.uint64(keys.shape[0] - 1)
    for n in range(wanted.shape[0]):
        key = wanted[n]
        out[n] = -1
        if key == 0:
            continue
        place = mixed(key) & mask
        while keys[place] != 0:
            if keys[place] == key:
                out[n] = values[place]
                break
            place = (place + np.uint64(1)) & mask


@njit(nogil=True, cache=True)
def put(keys, values, new_keys, new_values):
    """Insert (N,) keys with their values; a key that is there gets the new value."""
    mask = np.uint64(keys.shape[0] - 1)
    for begin in range(0, new_keys.shape[0], _BLOCK):
        end = min(begin + _BLOCK, new_keys.shape[0])
        for n in range(begin, end):
            offset = np.int64(mixed(new_keys[n]) & mask) * keys.itemsize
            ask_line(keys.ctypes.data + offset)
            ask_line(values.ctypes.data + offset)
        for n in range(begin, end):
            key = new_keys[n]
            place = mixed(key) & mask
            while keys[place] != 0 and keys[place] != key:
                place = (place + np.uint64(1)) & mask
            keys[place] = key
            values[place] = new_values[n]


@njit(nogil=True, cache=True)
def contains_ids(table, ids, out):
    """Set ``out`` (N,) bool where ``ids`` (N, 2) lie in ``table`` (P, 2)."""
    mask = np.uint64(table.shape[0] - 1)
    for n in range(ids.shape[0]):
        a, b = ids[n, 0], ids[n, 1]
        place = mixed(a ^ b) & mask
        found = False
        while table[place, 0] != 0 or table[place, 1] != 0:
            if table[place, 0] == a and table[place, 1] == b:
                found = True
                break
            place = (place + np.uint64(1)) & mask
        out[n] = found


@njit(nogil=True, cache=True)
def add_ids(table, ids, wanted, fresh):
    """Insert ``ids`` (N, 2) where ``wanted``; set ``fresh`` where an id was not there before.

    Returns the number of ids inserted. Of two equal ids in one call the first is fresh.
    """
    mask = np.uint64(table.shape[0] - 1)
    added = 0
    for n in range(ids.shape[0]):
        if not wanted[n]:
            fresh[n] = False
            continue
        a, b = ids[n, 0], ids[n, 1]
        place = mixed(a ^ b) & mask
        new = True
        while table[place, 0] != 0 or table[place, 1] != 0:
            if table[place, 0] == a and table[place, 1] == b:
                new = False
                break
            place = (place + np.uint64(1)) & mask
        if new:
            table[place, 0] = a
            table[place, 1] = b
            added += 1
        fresh[n] = new
    return added


@njit(nogil=True, cache=True)
def number_ids(table, numbers, ids, out, firsts):
    """Give equal ``ids`` (N, 2) equal numbers from 0 in order of appearance.

    ``table`` (P, 2) and ``numbers`` (P,) are scratch, zeroed by the caller; ``firsts`` (N,) gets
    the index at which each number first appears. Returns how many numbers there are.
    """
    mask = np.uint64(table.shape[0] - 1)
    count = 0
    for n in range(ids.shape[0]):
        a, b = ids[n, 0], ids[n, 1]
        place = mixed(a ^ b) & mask
        while table[place, 0] != 0 or table[place, 1] != 0:
            if table[place, 0] == a and table[place, 1] == b:
                break
            place = (place + np.uint64(1)) & mask
        if table[place, 0] == 0 and table[place, 1] == 0:
            table[place, 0] = a
            table[place, 1] = b
            numbers[place] = count
            firsts[count] = n
            count += 1
        out[n] = numbers[place]
    return count
