"""Decayed sums of many candidates at once: one row a slot, one lane a candidate.

Everything that is computed runs along the lanes, so that the compiler makes vector instructions of
it; only what is gathered from records goes candidate by candidate.
"""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import pow2

LANES = 64
"""Candidates that are worked on together: all of what is known of them stays in the first cache."""


@njit(nogil=True, cache=True, error_model="numpy")
def add_faded(values, first, width, raw, ages, shares, count, decay, half_lives_ms):
    """Add faded sums to ``values[first : first + width]``.

    Args:
        values: (S, LANES) float64.
        first: of the rows that are added to.
        width: how many rows.
        raw: (width or more, LANES) sums as records have them.
        ages: (LANES,) milliseconds since each record's landmark.
        shares: (LANES,) by which each lane's sums are multiplied.
        count: lanes in use.
        decay: (S,) which half-life each row has.
        half_lives_ms: (H,) milliseconds.
    """
    factors = np.empty(LANES, np.float64)
    known = -1
    for s in range(width):
        row, sums = values[first + s], raw[s]
        if decay[first + s] != known:
            known = decay[first + s]
            half_life = half_lives_ms[known]
            for c in range(count):
                factors[c] = pow2(-ages[c] / half_life) * shares[c]
        for c in range(count):
            row[c] += sums[c] * factors[c]


@njit(nogil=True, cache=True, error_model="numpy")
def fade(sums, first, age_ms, decay, half_lives_ms, faded):
    """Fill what one record's sums, which are rows from ``first`` on, are multiplied by."""
    for s in range(sums.shape[0]):
        faded[s] = pow2(-age_ms / half_lives_ms[decay[first + s]])
