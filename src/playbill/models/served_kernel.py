"""What comes before a ranker's layers, for the candidates of one request."""

import numpy as np
from numba import njit

_NOTHING = np.float32(0.0)
_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def standardise(raw, mean, scale, finite, most, out):
    """Fill (F,) standardised features of one candidate; what is no number is the mean."""
    for f in range(raw.shape[0]):
        x = (raw[f] - mean[f]) * scale[f]
        x = x if abs(x) <= finite else _NOTHING
        out[f] = min(max(x, -most), most)


@njit(**_HOW)
def embed(code, column, codes, out):
    """Fill (E,) the embedding of a code of one column; one that is out of range counts as 0."""
    sizes, offsets, embeddings = codes
    at = offsets[column] + (code if 0 <= code < sizes[column] else 0)
    for e in range(out.shape[0]):
        out[e] = embeddings[at, e]


@njit(**_HOW)
def fill_layers_input(dense, categories, columns, numbers, codes, first, x, first_bias):
    """Fill what the layers are asked: a row a candidate, and what the viewer adds to all.

    Args:
        dense: (N, F) float32 raw features of one request, N > 0.
        categories: (N, 3) int64; all but the last column are the request's.
        columns: (V,) columns of the viewer's features and (C,) of the candidates'.
        numbers: mean (F,), scale (F,), the largest finite number and the largest deviation.
        codes: sizes (3,), offsets (3,) and embeddings (S, E).
        first: (V + 2E, W) weights of what is the request's, and (W,) bias.
        x: (N, C + E) float32.
        first_bias: (1, W) float32.
    """
    mean, scale, finite, most = numbers
    viewers, candidates = columns
    weights, bias = first
    width, last = codes[2].shape[1], categories.shape[1] - 1
    read, embedded = np.empty(dense.shape[1], np.float32), np.empty(width, np.float32)
    out = first_bias[0]
    out[:] = bias
    standardise(dense[0], mean, scale, finite, most, read)
    for v in range(viewers.shape[0]):
        for w in range(out.shape[0]):
            out[w] += read[viewers[v]] * weights[v, w]
    for column in range(last):
        embed(categories[0, column], column, codes, embedded)
        for e in range(width):
            row = weights[viewers.shape[0] + column * width + e]
            for w in range(out.shape[0]):
                out[w] += embedded[e] * row[w]
    for n in range(dense.shape[0]):
        standardise(dense[n], mean, scale, finite, most, read)
        for c in range(candidates.shape[0]):
            x[n, c] = read[candidates[c]]
        embed(categories[n, last], last, codes, x[n, candidates.shape[0] :])
