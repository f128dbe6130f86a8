"""A ranker's layers in whole numbers: some candidates at a time pass all of them.

So few that what lies between two layers never leaves the nearest cache, and what other parts of a
request left there is not driven out.
"""

import numpy as np
from numba import njit

from playbill.models.eight_bits import TOP
from playbill.models.whole_numbers import COLUMNS, PER_WORD, ROWS
from playbill.models.whole_product_kernel import tile_of_bytes, tile_of_words

STRETCH = 16
"""Candidates at a time, a multiple of a tile's rows."""
_NOTHING, _MOST = np.float32(0.0), np.float32(TOP)
_SURE = np.float32(80.0)
"""A logit is cut off here, where a probability is 1 or 1e-35: of much more the power overflows."""
_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def _worded(x, start, rows, per, words):
    """Fill int16 words with rows from a place on of (N, I) numbers over their steps."""
    for n in range(rows):
        numbers, out = x[start + n], words[n, : x.shape[1]]
        for i in range(out.shape[0]):
            out[i] = np.int16(np.int32(np.rint(numbers[i] * per[i])))


@njit(**_HOW)
def _coded(sums, rows, steps, bias, column, codes):
    """Fill codes from a column on with (N, 64) sums by steps plus bias, cut off and rounded."""
    worth, more = steps[column : column + COLUMNS], bias[column : column + COLUMNS]
    for n in range(rows):
        totals, out = sums[n], codes[n, column : column + COLUMNS]
        for c in range(COLUMNS):
            number = np.float32(totals[c]) * worth[c] + more[c]
            out[c] = np.uint8(np.int32(np.rint(min(max(number, _NOTHING), _MOST))))


@njit(**_HOW)
def _cut(sums, rows, steps, bias, column, hidden):
    """Fill hidden units from a column on with (N, 64) sums by steps plus bias, 0 for less."""
    worth, more = steps[column : column + COLUMNS], bias[column : column + COLUMNS]
    for n in range(rows):
        totals, out = sums[n], hidden[n, column : column + COLUMNS]
        for c in range(COLUMNS):
            out[c] = max(np.float32(totals[c]) * worth[c] + more[c], _NOTHING)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _said(hidden, rows, last, bias, start, logits):
    """Fill logits from a row on with (N, W) hidden units by (O, W) plus (O,) bias.

    Additions may be done in any order, so that many are done at once.
    """
    for n in range(rows):
        numbers = hidden[n]
        for o in range(last.shape[0]):
            weights, total = last[o], bias[o]
            for w in range(weights.shape[0]):
                total += numbers[w] * weights[w]
            logits[start + n, o] = min(max(total, -_SURE), _SURE)


@njit(**_HOW)
def fill_logits(x, first_bias, first, between, last, last_bias, logits):
    """Fill (N, O) logits of N candidates. Outputs of layers are padded to multiples of 64.

    Args:
        x: (N, I) float32, none beyond its bound.
        first_bias: (1, W) float32; 1 is a hidden unit's largest.
        first: (I,) float32 steps of inputs, packed int16 weights, (W,) what a sum is worth.
        between: for each layer packed int8 weights, (W,) what a sum is worth, (W,) bias: in codes
            of the next layer, or as they are for the last.
        last: (O, W) float32.
        last_bias: (1, O) float32.
        logits: (N, O) float32.
    """
    per, weights, worth = first
    widest = weights.shape[0]
    for layer in between:
        widest = max(widest, layer[0].shape[0])
    words = np.zeros((STRETCH, PER_WORD * weights.shape[1]), np.int16)
    sums = np.empty((STRETCH, COLUMNS), np.int32)
    codes = np.zeros((STRETCH, widest * COLUMNS), np.uint8)
    following = np.zeros((STRETCH, widest * COLUMNS), np.uint8)
    bias = np.zeros(worth.shape[0], np.float32)
    for w in range(first_bias.shape[1]):
        bias[w] = first_bias[0, w] * _MOST
    hidden = np.empty((STRETCH, last.shape[1]), np.float32)
    for start in range(0, x.shape[0], STRETCH):
        rows = min(STRETCH, x.shape[0] - start)
        _worded(x, start, rows, per, words)
        for block in range(weights.shape[0]):
            for row in range(0, rows, ROWS):
                tile_of_words(words, weights, sums, row, block)
            _coded(sums, rows, worth, bias, block * COLUMNS, codes)
        for place in range(len(between)):
            theirs, steps, more = between[place]
            for block in range(theirs.shape[0]):
                column = block * COLUMNS
                for row in range(0, rows, ROWS):
                    tile_of_bytes(codes, theirs, sums, row, block)
                if place + 1 < len(between):
                    _coded(sums, rows, steps, more, column, following)
                else:
                    _cut(sums, rows, steps, more, column, hidden)
            codes, following = following, codes
        _said(hidden, rows, last, last_bias[0], start, logits)
