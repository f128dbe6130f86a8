"""Copying records out of a table and into one, with memory asked for them ahead."""

from numba import njit

from playbill.features.prefetch_kernel import LINE_BYTES, ask_line

_AHEAD = 16
"""So many records before it is copied, a record is asked for."""
_WORD_BYTES = 8


@njit(nogil=True, cache=True)
def _ask_for(words, row):
    size = words.shape[1] * _WORD_BYTES
    for offset in range(0, size, LINE_BYTES):
        ask_line(words.ctypes.data + row * size + offset)


@njit(nogil=True, cache=True)
def take_records(words, rows, taken):
    """Fill (R, W) copies of R records.

    Args:
        words: (N, W) uint64, records as they lie in memory.
        rows: (R,) int64 of them.
        taken: (R, W) uint64.
    """
    for r in range(min(_AHEAD, rows.shape[0])):
        _ask_for(words, rows[r])
    for r in range(rows.shape[0]):
        if r + _AHEAD < rows.shape[0]:
            _ask_for(words, rows[r + _AHEAD])
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
