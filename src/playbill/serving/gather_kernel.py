"""Reading vectors by row: from an index's codes, or from the table of later ones."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def gather(rows, place_of_row, codes, scales, later, out, known):
    """Fill (C, D) vectors of (C,) rows, and (C,) whether a row has one; zeros where it has none.

    Args:
        rows: (C,) int64.
        place_of_row: (I,) int32; p >= 0 is a place of the index, -2 - p one of ``later``.
        codes: (N, D) int8.
        scales: (N,) float32.
        later: (M, D) float32.
        out: (C, D) float32.
        known: (C,) bool.
    """
    for c in range(rows.shape[0]):
        row = rows[c]
        place = np.int64(-1)
        known[c] = 0 <= row < place_of_row.shape[0]
        if known[c]:
            place = np.int64(place_of_row[row])
        if place >= 0:
            for d in range(out.shape[1]):
                out[c, d] = np.float32(codes[place, d]) * scales[place]
        elif place <= -2:
            for d in range(out.shape[1]):
                out[c, d] = later[-2 - place, d]
        else:
            for d in range(out.shape[1]):
                out[c, d] = np.float32(0.0)
