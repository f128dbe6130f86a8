"""One weight a feature."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def weigh(dense, weights, bias, out):
    """Fill (C,) sums of (C, F) features by (F,) weights; a number that is none counts as 0."""
    for c in range(dense.shape[0]):
        total = np.float32(0.0)
        for f in range(weights.shape[0]):
            value = dense[c, f]
            if np.isfinite(value):
                total += value * weights[f]
        out[c] = total + bias
