"""One weight a feature."""

import numpy as np
from numba import njit

_LARGEST = np.float32(np.finfo(np.float32).max)
_NOTHING = np.float32(0.0)


@njit(nogil=True, cache=True)
def weigh(dense, weights, bias, out):
    """Fill (C,) sums of (C, F) features by (F,) weights; a number that is none counts as 0.

    Four sums run beside each other, so that no addition waits for the one before it.
    """
    count, quarter = weights.shape[0], weights.shape[0] // 4
    terms = np.empty(count, np.float32)
    for c in range(dense.shape[0]):
        row = dense[c]
        for f in range(count):
            terms[f] = row[f] * weights[f] if abs(row[f]) <= _LARGEST else _NOTHING
        first = second = third = fourth = _NOTHING
        for f in range(quarter):
            first += terms[f]
            second += terms[quarter + f]
            third += terms[2 * quarter + f]
            fourth += terms[3 * quarter + f]
        for f in range(4 * quarter, count):
            first += terms[f]
        out[c] = (first + second) + (third + fourth) + bias
