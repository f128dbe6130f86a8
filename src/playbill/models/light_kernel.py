"""One weight a feature."""

import numpy as np
from numba import njit

_LARGEST = np.float32(np.finfo(np.float32).max)
_NOTHING = np.float32(0.0)


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def weigh(dense, weights, bias, out):
    """Fill (C,) sums of (C, F) features by (F,) weights; a number that is none counts as 0.

    Additions may be done in any order, so that many are done at once.
    """
    for c in range(dense.shape[0]):
        total = _NOTHING
        for f in range(weights.shape[0]):
            x = dense[c, f]
            total += (x if abs(x) <= _LARGEST else _NOTHING) * weights[f]
        out[c] = total + bias
