"""Copying records out of a table and into one, with memory asked for them ahead."""

import numpy as np
from numba import njit

from playbill.features.prefetch_kernel import ask_records

_BLOCK = 128
"""So many records are asked for at once, and then copied."""
_WORD_BYTES = 8


@njit(nogil=True, cache=True)
def take_records(words, rows, taken):
    """Fill (R, W) copies of R records.

    Args:
        words: (N, W) uint64, records as they lie in memory.
        rows: (R,) int64 of them.
        taken: (R, W) uint64.
    """
    size = words.shape[1] * _WORD_BYTES
    for begin in range(0, rows.shape[0], _BLOCK):
        end = min(begin + _BLOCK, rows.shape[0])
        ask_records(words.ctypes.data, size, rows[begin:end])
        for r in range(begin, end):
            for w in range(words.shape[1]):
                taken[r, w] = words[rows[r], w]


@njit(nogil=True, cache=True)
def put_records(words, rows, taken):
    """Write R records into a table.

    Args:
        words: (N, W) uint64, records as they lie in memory.
        rows: (R,) int64 of those that are replaced.
        taken: (R, W) uint64.
    """
    for r in range(rows.shape[0]):
        for w in range(words.shape[1]):
            words[rows[r], w] = taken[r, w]


@njit(nogil=True, cache=True)
def mark_different(these, those, odd):
    """Mark (N,) bool where two tables of (N, W) words differ."""
    for n in range(these.shape[0]):
        here, there = these[n], those[n]
        differs = np.uint64(0)
        for w in range(here.shape[0]):
            differs |= here[w] ^ there[w]
        odd[n] = differs != 0
