"""Reading vectors by row: from an index's codes, or from those of later videos."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def gather(rows, place_of_row, indexed, later, out, known):
    """Fill (C, D) vectors of (C,) rows, and (C,) whether a row has one; zeros where it has none.

    Args:
        rows: (C,) int64.
        place_of_row: (I,) int32; p >= 0 is a place of the index, -2 - p one of ``later``.
        indexed: (N, D) int8 codes and (N,) float32 scales.
        later: (M, D) and (M,) likewise.
        out: (C, D) float32.
        known: (C,) bool.
    """
    codes, scales = indexed
    later_codes, later_scales = later
    for c in range(rows.shape[0]):
        row = rows[c]
        place = np.int64(-1)
        if 0 <= row < place_of_row.shape[0]:
            place = np.int64(place_of_row[row])
        known[c] = place != -1
        if place >= 0:
            for d in range(out.shape[1]):
                out[c, d] = np.float32(codes[place, d]) * scales[place]
        elif place <= -2:
            for d in range(out.shape[1]):
                out[c, d] = np.float32(later_codes[-2 - place, d]) * later_scales[-2 - place]
        else:
            for d in range(out.shape[1]):
                out[c, d] = np.float32(0.0)
