"""Small products by tiles: what NumPy says they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.errors import TypingError

from playbill.models.product_kernel import COLUMNS, multiply


@settings(deadline=None)
@given(st.integers(0, 21), st.integers(1, 70), st.integers(1, 5), st.integers(0, 1 << 30))
def test_a_product_is_that_of_numpy(rows, inner, lanes, seed):
    random = np.random.default_rng(seed)
    x, weight, bias = (
        random.normal(size=shape).astype(np.float32)
        for shape in ((rows, inner), (inner, lanes * COLUMNS), (1, lanes * COLUMNS))
    )
    out = np.full((rows, lanes * COLUMNS), np.nan, np.float32)
    multiply(x, weight, bias, out)
    assert out == pytest.approx(x @ weight + bias, abs=1e-4)


def test_what_is_no_number_stays_in_its_row():
    x = np.ones((6, 3), np.float32)
    x[4, 1] = np.nan
    out = np.empty((6, COLUMNS), np.float32)
    multiply(x, np.ones((3, COLUMNS), np.float32), np.zeros((1, COLUMNS), np.float32), out)
    assert np.isnan(out).any(axis=1).tolist() == [False] * 4 + [True, False]


def test_matrices_that_do_not_lie_in_order_are_refused():
    x = np.ones((4, 6), np.float32)[:, ::2]
    weight, bias = np.ones((3, COLUMNS), np.float32), np.zeros((1, COLUMNS), np.float32)
    with pytest.raises(TypingError, match="contiguous"):
        multiply(x, weight, bias, np.empty((4, COLUMNS), np.float32))
