"""Powers and logarithms from multiplications alone, so that every machine gets the same bits.

Library functions differ between C libraries in their last bit; a feature must not. Each function
has a NumPy reference in ``reference.py`` and a property test that compares them. They have no
branches and take numbers apart by their bits, so that loops over them become vector instructions.
"""

import math

import numpy as np
from numba import njit

_LN2 = math.log(2.0)
_E = tuple(_LN2**k / math.factorial(k) for k in range(10))
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9 = _E
_SQRT_HALF = math.sqrt(0.5)

_FRACTION_BITS = np.int64(52)
_FRACTION = np.int64((1 << 52) - 1)
_BIAS = np.int64(1023)
_HALF_BITS = np.int64(1022 << 52)
_TWO_52_BITS = np.int64(0x433 << 52)
_TWO_52_AND_1022 = 2.0**52 + 1022.0
_WHOLE = 1.5 * 2.0**52


@njit(nogil=True, cache=True, error_model="numpy")
def pow2(x: float) -> float:
    """Return 2**x within 1e-11 relative, for x in [-1000, 1000]; beyond, the value at the end."""
    x = min(max(x, -1000.0), 1000.0)
    whole = np.floor(x + 0.5)
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
    # Far from zero a double's last bits count whole numbers; moved up they are an exponent.
    exponent = (np.float64(whole + _WHOLE).view(np.int64) + _BIAS) << _FRACTION_BITS
    return p * np.int64(exponent).view(np.float64)


@njit(nogil=True, cache=True, error_model="numpy")
def log1p(v: float) -> float:
    """Return log(1 + v) within 1e-8 absolute, for v >= 0; smaller v counts as 0."""
    bits = np.float64(1.0 + max(v, 0.0)).view(np.int64)
    e = np.int64((bits >> _FRACTION_BITS) | _TWO_52_BITS).view(np.float64) - _TWO_52_AND_1022
    m = np.int64((bits & _FRACTION) | _HALF_BITS).view(np.float64)
    small = m < _SQRT_HALF
    m = m * 2.0 if small else m
    e = e - 1.0 if small else e
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q / 11.0))))
    return 2.0 * s * series + e * _LN2


@njit(nogil=True, cache=True, error_model="numpy")
def mixed(key: int) -> int:
    """Return 64 well-mixed bits of a key (the finaliser of SplitMix64).

    Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
    """
    z = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
