"""Powers and logarithms from multiplications alone, so that every machine gets the same bits.

Library functions differ between C libraries in their last bit; a feature must not. Each function
has a NumPy reference in ``reference.py`` and a property test that compares them.
"""

import math

import numpy as np
from numba import njit

_LN2 = math.log(2.0)
_E = tuple(_LN2**k / math.factorial(k) for k in range(10))
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9 = _E
_SQRT_HALF = math.sqrt(0.5)


@njit(nogil=True, cache=True)
def pow2(x: float) -> float:
    """Return 2**x within 1e-11 relative, for x in [-1000, 1000]; beyond, the value at the end."""
    x = min(max(x, -1000.0), 1000.0)
    whole = math.floor(x + 0.5)
    f = x - whole
    p = _C8 + f * _C9
    p = _C7 + f * p
    p = _C6 + f * p
    p = _C5 + f * p
    p = _C4 + f * p
    p = _C3 + f * p
    p = _C2 + f * p
    p = _C1 + f * p
    p = _C0 + f * p
    return math.ldexp(p, int(whole))


@njit(nogil=True, cache=True)
def log1p(v: float) -> float:
    """Return log(1 + v) within 1e-8 absolute, for v >= 0; smaller v counts as 0."""
    m, e = math.frexp(1.0 + max(v, 0.0))
    if m < _SQRT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q / 11.0))))
    return 2.0 * s * series + e * _LN2


@njit(nogil=True, cache=True)
def mixed(key: int) -> int:
    """Return 64 well-mixed bits of a key (the finaliser of SplitMix64).

    Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
    """
    z = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
