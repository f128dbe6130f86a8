"""What comes before a ranker's layers, for the candidates of one request."""

import numpy as np
from numba import njit

_NOTHING, _WHOLE = np.float32(0.0), np.float32(1.0)
_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def fill_numbers(dense, columns, numbers, curves, out):
    """Fill (N, C) what the first layer reads of some columns; what is no number is the mean.

    Candidates are the lanes: each column is gone along once for each stretch of its curve.

    Args:
        dense: (N, F) float32 raw features.
        columns: (C,) of them.
        numbers: mean (F,), scale (F,), the largest finite number and the largest deviation.
        curves: (K, 3, C) float32 starts, rates and bends.
        out: (N, at least C) float32.
    """
    mean, scale, finite, most = numbers
    count = dense.shape[0]
    straight, bent = np.empty(count, np.float32), np.empty((columns.shape[0], count), np.float32)
    for c in range(columns.shape[0]):
        f = columns[c]
        centre, per, total = mean[f], scale[f], bent[c]
        for n in range(count):
            straight[n] = dense[n, f]
        for n in range(count):
            x = (straight[n] - centre) * per
            x = x if abs(x) <= finite else _NOTHING
            straight[n] = min(max(x, -most), most)
            total[n] = straight[n]
        for k in range(curves.shape[0]):
            start, rate, rise = curves[k, 0, c], curves[k, 1, c], curves[k, 2, c]
            for n in range(count):
                total[n] += min(max((straight[n] - start) * rate, _NOTHING), _WHOLE) * rise
    for n in range(count):
        for c in range(columns.shape[0]):
            out[n, c] = bent[c, n]


@njit(**_HOW)
def embed(code, column, codes, out):
    """Fill (E,) the embedding of a code of one column; one that is out of range counts as 0."""
    sizes, offsets, embeddings = codes
    at = offsets[column] + (code if 0 <= code < sizes[column] else 0)
    for e in range(out.shape[0]):
        out[e] = embeddings[at, e]


@njit(**_HOW)
def fill_layers_input(dense, categories, columns, numbers, curves, codes, first, x, first_bias):
    """Fill what the layers are asked: a row a candidate, and what the viewer adds to all.

    Args:
        dense: (N, F) float32 raw features of one request, N > 0.
        categories: (N, 3) int64; all but the last column are the request's.
        columns: (V,) columns of the viewer's features and (C,) of the candidates'.
        numbers: mean (F,), scale (F,), the largest finite number and the largest deviation.
        curves: (K, 3, V) starts, rates and bends of the viewer's features, and (K, 3, C) of the
            candidates'.
        codes: sizes (3,), offsets (3,) and embeddings (S, E).
        first: (V + 2E, W) weights of what is the request's, and (W,) bias.
        x: (N, C + E) float32.
        first_bias: (1, W) float32.
    """
    viewers, candidates = columns
    weights, bias = first
    width, last = codes[2].shape[1], categories.shape[1] - 1
    mine, embedded = np.empty((1, viewers.shape[0]), np.float32), np.empty(width, np.float32)
    out = first_bias[0]
    out[:] = bias
    fill_numbers(dense[:1], viewers, numbers, curves[0], mine)
    for v in range(viewers.shape[0]):
        for w in range(out.shape[0]):
            out[w] += mine[0, v] * weights[v, w]
    for column in range(last):
        embed(categories[0, column], column, codes, embedded)
        for e in range(width):
            row = weights[viewers.shape[0] + column * width + e]
            for w in range(out.shape[0]):
                out[w] += embedded[e] * row[w]
    fill_numbers(dense, candidates, numbers, curves[1], x)
    for n in range(dense.shape[0]):
        embed(categories[n, last], last, codes, x[n, candidates.shape[0] :])
