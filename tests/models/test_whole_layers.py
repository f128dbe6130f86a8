"""Layers in whole numbers: sums are those of NumPy, and so is what follows from them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from playbill.models.eight_bits import EightBitLayer, in_eight_bits
from playbill.models.served_layers import WholeLayers
from playbill.models.whole_numbers import COLUMNS, PER_BYTE, PER_WORD, ROWS, packed
from playbill.models.whole_product_kernel import (
    multiplies_whole_numbers,
    tile_of_bytes,
    tile_of_words,
)

pytestmark = pytest.mark.skipif(
    not multiplies_whole_numbers(), reason="this processor has no AVX-512 VNNI; run on one that has"
)


@njit
def bytes_of(x, weights, row, block):
    out = np.full((x.shape[0], COLUMNS), -1, np.int32)
    tile_of_bytes(x, weights, out, row, block)
    return out


@njit
def words_of(x, weights, row, block):
    out = np.full((x.shape[0], COLUMNS), -1, np.int32)
    tile_of_words(x, weights, out, row, block)
    return out


KINDS = {
    "bytes": (bytes_of, PER_BYTE, (np.uint8, 0, 255), (np.int8, -128, 127)),
    "words": (words_of, PER_WORD, (np.int16, -32_700, 32_700), (np.int16, -600, 600)),
}


@settings(deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    seed=st.integers(0, 2**32 - 1),
    inputs=st.integers(1, 70),
    outputs=st.integers(1, 150),
    extreme=st.booleans(),
    spare=st.integers(0, 3),
)
def test_a_tile_holds_the_sums_of_its_rows_and_columns(kind, seed, inputs, outputs, extreme, spare):
    random = np.random.default_rng(seed)
    tile, per, (mine, *range_of_x), (theirs, *range_of_w) = KINDS[kind]

    def drawn(ends, dtype, size):
        draw = random.choice(ends, size) if extreme else random.integers(*ends, size, endpoint=True)
        return draw.astype(dtype)

    weight = drawn(range_of_w, theirs, (inputs, outputs))
    width = -(-inputs // per) * per
    x = np.zeros((3 * ROWS, width + spare * PER_BYTE), mine)
    x[:, :inputs] = drawn(range_of_x, mine, (len(x), inputs))
    x[:, width:] = 99  # Beyond the inputs, and not read.
    weights = packed(weight, per)
    assert weights.ctypes.data % COLUMNS == 0
    expected = np.zeros((len(x), weights.shape[0] * COLUMNS), np.int64)
    expected[:, :outputs] = x[:, :inputs].astype(np.int64) @ weight.astype(np.int64)
    row, block = ROWS * int(random.integers(3)), int(random.integers(weights.shape[0]))
    found = tile(x, weights, row, block)
    asked = slice(row, row + ROWS)
    columns = slice(block * COLUMNS, (block + 1) * COLUMNS)
    assert (found[asked] == expected[asked, columns]).all()
    assert (np.delete(found, np.r_[asked], axis=0) == -1).all()


def layers_of(seed, inputs, widths, outputs):
    """Return a runner, and what it was made of."""
    random = np.random.default_rng(seed)
    bounds = random.uniform(0.5, 20.0, inputs).astype(np.float32)
    sizes = (inputs, *widths, outputs)
    weights = [
        random.normal(0.0, 1.0 / np.sqrt(size), (size, to)).astype(np.float32)
        for size, to in pairwise(sizes)
    ]
    weights[0] /= bounds[:, None]
    weights[0][:, 0] = 0.0
    weights[0][:, 1] = np.eye(inputs)[0] / bounds  # One weight is all there is.
    between = tuple(
        EightBitLayer.of(weight, random.normal(0.0, 0.1, weight.shape[1]).astype(np.float32))
        for weight in weights[1:-1]
    )
    return WholeLayers(weights[0], bounds, between, weights[-1]), bounds, weights, between


def ask(runner, seed, count, bounds):
    random = np.random.default_rng(seed)
    asked = runner.asked(count)
    asked.x[:] = random.uniform(-1.0, 1.0, asked.x.shape) * bounds
    asked.x[0] = bounds
    asked.first_bias[:] = random.normal(0.0, 0.3, asked.first_bias.shape)
    asked.last_bias[:] = random.normal(0.0, 0.3, asked.last_bias.shape)
    return asked


def expected_of(asked, weights, between):
    sums = asked.x @ weights[0] + asked.first_bias
    return in_eight_bits(sums, between, weights[-1], asked.last_bias)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 50),
    inputs=st.integers(1, 60),
    widths=st.sampled_from([(20, 30), (64, 64), (70, 130), (130, 5)]),
)
def test_probabilities_are_those_of_the_same_whole_numbers(seed, count, inputs, widths):
    runner, bounds, weights, between = layers_of(seed, inputs, widths, 4)
    asked = ask(runner, seed, count, bounds)
    found = runner.probabilities()
    expected = expected_of(asked, weights, between)
    # Where a number lies between two codes, other last bits may round it the other way.
    assert np.abs(found - expected).max() < 5e-3


def test_a_number_of_layers_of_its_own_is_served_too():
    for widths in ((40, 30), (40, 30, 20, 10)):
        runner, bounds, weights, between = layers_of(1, 9, widths, 2)
        asked = ask(runner, 2, 21, bounds)
        expected = expected_of(asked, weights, between)
        assert runner.probabilities() == pytest.approx(expected, abs=5e-3)


def test_a_reply_does_not_depend_on_who_is_ranked_beside():
    runner, bounds, _, _ = layers_of(3, 55, (256, 256, 128), 4)
    asked = ask(runner, 4, 200, bounds)
    x, biases = asked.x.copy(), (asked.first_bias.copy(), asked.last_bias.copy())
    whole = runner.probabilities()
    for count in (1, 3, 17):
        few = runner.asked(count)
        few.x[:], few.first_bias[:], few.last_bias[:] = x[:count], *biases
        assert runner.probabilities().tobytes() == whole[:count].tobytes()


def test_logits_beyond_what_float32_tells_apart_are_certain_and_no_warning():
    runner, bounds, _, _ = layers_of(5, 8, (16, 16), 3)
    asked = ask(runner, 6, 4, bounds)
    asked.last_bias[:] = 1e6, -1e6, 0.0
    found = runner.probabilities()
    assert (found[:, 0] == 1.0).all()
    assert (found[:, 1] < 1e-30).all()
    assert np.isfinite(found).all()


def test_inputs_and_layers_of_zeros_are_no_trouble():
    none = np.zeros((3, 4), np.float32)
    layer = EightBitLayer.of(np.zeros((4, 4), np.float32), np.zeros(4, np.float32))
    runner = WholeLayers(none, np.zeros(3, np.float32), (layer,), np.zeros((4, 2), np.float32))
    runner.asked(5)
    assert (runner.probabilities() == 0.5).all()
