"""Reading vectors by row: from an index's codes, or from those of later videos."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def gather(rows, places, indexed, later, out, known):
    """Fill (C, D) vectors of (C,) rows, and (C,) whether a row has one; zeros where it has none.

    Args:
        rows: (C,) int64.
        places: (R,) int32 of the first rows and (I - R,) int32 of those behind them; p >= 0 is a
            place of the index, -2 - p one of ``later``, -1 none.
        indexed: (N, D) int8 codes and (N,) float32 scales.
        later: (M, D) and (M,) likewise.
        out: (C, D) float32.
        known: (C,) bool.
    """
    mapped, behind = places
    codes, scales = indexed
    later_codes, later_scales = later
    for c in range(rows.shape[0]):
        row = rows[c]
        place = np.int64(-1)
        if 0 <= row < mapped.shape[0]:
            place = np.int64(mapped[row])
        elif mapped.shape[0] <= row < mapped.shape[0] + behind.shape[0]:
            place = np.int64(behind[row - mapped.shape[0]])
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
