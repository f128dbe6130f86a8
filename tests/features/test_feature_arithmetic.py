"""The same bits on every machine, and close enough to the C library's."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.features import reference
from playbill.features.arithmetic_kernel import log1p, mixed, pow2


@law(300)
@given(x=st.floats(-1_000.0, 1_000.0))
@example(x=0.5)
@example(x=-0.5)
@example(x=math.nextafter(0.5, 0.0))
def test_pow2_is_within_1e_11_of_the_library(x):
    assert math.isclose(pow2(x), reference.pow2(x), rel_tol=1e-11)


@law(100)
@given(x=st.floats(1_000.0, 1e300), sign=st.sampled_from([-1.0, 1.0]))
def test_pow2_stands_still_beyond_its_ends(x, sign):
    assert pow2(sign * x) == reference.pow2(sign * x) == 2.0 ** (sign * 1_000.0)


@pytest.mark.parametrize("whole", [-1_000, -54, -1, 0, 1, 23, 1_000])
def test_pow2_of_a_whole_number_is_exact(whole):
    assert pow2(float(whole)) == 2.0**whole


@law(300)
@given(v=st.floats(0.0, 1e15) | st.floats(0.0, 4.0))
def test_log1p_is_within_1e_8_of_the_library(v):
    assert abs(log1p(v) - reference.log1p(v)) < 1e-8


@law(100)
@given(v=st.floats(max_value=0.0, allow_nan=False))
def test_log1p_counts_what_is_below_nothing_as_nothing(v):
    assert log1p(v) == reference.log1p(v) == 0.0


@law(200)
@given(v=st.floats(0.0, 1e6), more=st.floats(1e-6, 1e6))
def test_more_never_reads_as_less(v, more):
    assert log1p(v + more) >= log1p(v)


GOLDEN = [
    (pow2, 0.3, "0x1.3b2c47bff826ap+0"),
    (pow2, -7.77, "0x1.2c3ee9468e85cp-8"),
    (pow2, 123.456, "0x1.5f29e9ad51ac1p+123"),
    (log1p, 0.1, "0x1.8663f793c46ccp-4"),
    (log1p, 41.0, "0x1.de6bf542e3649p+1"),
    (log1p, 1e9, "0x1.4b927f3304b3bp+4"),
]


@pytest.mark.parametrize(("function", "x", "bits"), GOLDEN)
def test_every_machine_gets_these_bits(function, x, bits):
    assert float(function(x)).hex() == bits


@law(300)
@given(x=st.floats(-60.0, 60.0))
def test_the_compiler_changes_no_bit(x):
    assert pow2(x) == pow2.py_func(x)
    assert log1p(abs(x)) == log1p.py_func(abs(x))


@law(100)
@given(key=st.integers(0, (1 << 64) - 1))
def test_mixing_is_split_mix_64(key):
    mask = (1 << 64) - 1
    z = (key + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    assert int(mixed(np.uint64(key))) == z ^ (z >> 31)


def test_mixing_zero_gives_the_published_first_number():
    assert int(mixed(np.uint64(0))) == 0xE220A8397B1DCDAF
