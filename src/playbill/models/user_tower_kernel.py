"""A viewer's vector, computed for one viewer: the graph's operations without a runtime's.

All numbers of a tower lie in one array, one part after the other in the order of ``PARTS``: a call
with so many arrays would cost more than what it computes.
"""

import numpy as np
from numba import njit

from playbill.features.layout import HISTORY
from playbill.models.product_kernel import multiply
from playbill.models.tasks import WIDTH
from playbill.models.user_history import KINDS

HEADS, POOLS = 2, 2
"""Of attention, and weighted means, in the towers that this kernel computes."""
INNER, POOLED = 4 * WIDTH, 2 * WIDTH
_PLACES = HISTORY + 1
_SHARE = WIDTH // HEADS
_LANES = 48
"""Places, rounded up to what a product takes."""
_EPSILON = np.float32(1e-5)
_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


def _block(number):
    name = f"block_{number}"
    parts = [(f"bias_{number}", (HEADS * _PLACES, _PLACES))]
    parts += [(f"{name}_normal_{part}", (1, WIDTH)) for part in ("weight", "bias")]
    for kind in ("query", "key", "value", "attended"):
        parts += [(f"{name}_{kind}_weight", (WIDTH, WIDTH)), (f"{name}_{kind}_bias", (1, WIDTH))]
    parts += [(f"{name}_normal_inner_{part}", (1, WIDTH)) for part in ("weight", "bias")]
    parts += [(f"{name}_inner_weight", (WIDTH, INNER)), (f"{name}_inner_bias", (1, INNER))]
    parts += [(f"{name}_outer_weight", (INNER, WIDTH)), (f"{name}_outer_bias", (1, WIDTH))]
    return parts


PARTS = [
    ("entered_weight", (WIDTH, WIDTH)),
    ("entered_bias", (1, WIDTH)),
    ("kind_vectors", (KINDS, WIDTH)),
    ("begin", (1, WIDTH)),
    *_block(0),
    *_block(1),
    *((f"before_leaving_{part}", (1, WIDTH)) for part in ("weight", "bias")),
    ("leave_weight", (WIDTH, WIDTH)),
    ("leave_bias", (1, WIDTH)),
    *((f"recency_{pool}", (1, HISTORY)) for pool in range(POOLS)),
    *((f"worth_{pool}", (1, KINDS)) for pool in range(POOLS)),
    ("cold", (1, WIDTH)),
    ("cold_weight", (1, 1)),
    ("inner_weight", (POOLED, POOLED)),
    ("inner_bias", (1, POOLED)),
    ("outer_weight", (POOLED, WIDTH)),
    ("outer_bias", (1, WIDTH)),
    ("least", (1, 1)),
]
"""Names of the graph's constants and their (rows, columns) here, in the order of the array."""


@njit(**_HOW)
def _taken(numbers, at, rows, columns):
    """Return (rows, columns) of the array from a place on, and the place after it."""
    end = at + rows * columns
    return numbers[at:end].reshape((rows, columns)), end


@njit(**_HOW)
def _linear(x, numbers, at, out):
    """Fill (T, O) with (T, I) times the weights at a place, and the bias; return the next place."""
    weight, at = _taken(numbers, at, x.shape[1], out.shape[1])
    bias, at = _taken(numbers, at, 1, out.shape[1])
    multiply(x, weight, bias, out)
    return at


@njit(**_HOW)
def _normal(x, numbers, at, out):
    """Fill (T, W) with (T, W) of mean 0 and deviation 1, scaled and shifted; return the next."""
    weight, at = _taken(numbers, at, 1, x.shape[1])
    bias, at = _taken(numbers, at, 1, x.shape[1])
    for t in range(x.shape[0]):
        total, square = np.float32(0.0), np.float32(0.0)
        for i in range(x.shape[1]):
            total += x[t, i]
        mean = total / np.float32(x.shape[1])
        for i in range(x.shape[1]):
            square += (x[t, i] - mean) * (x[t, i] - mean)
        scale = np.float32(1.0) / np.sqrt(square / np.float32(x.shape[1]) + _EPSILON)
        for i in range(x.shape[1]):
            out[t, i] = (x[t, i] - mean) * scale * weight[0, i] + bias[0, i]
    return at


@njit(**_HOW)
def _soften(scores, bias, shares):
    """Fill (T,) shares that add up to 1, larger for a larger score plus bias."""
    most, total = np.float32(-np.inf), np.float32(0.0)
    for t in range(shares.shape[0]):
        shares[t] = scores[t] + bias[t]
        most = max(most, shares[t])
    for t in range(shares.shape[0]):
        shares[t] = np.exp(shares[t] - most)
        total += shares[t]
    for t in range(shares.shape[0]):
        shares[t] /= total


@njit(**_HOW)
def _attend(query, key, value, bias, first, out):
    """Fill (Q, W) what each query, the one of place ``first`` + q, takes from places up to its own.

    All places are scored by one product, also those that a query may not look at.

    Args:
        query: (Q, W), scaled already.
        key: (T, W).
        value: (T, W).
        bias: (heads x 33, 33).
        first: place of the first query.
        out: (Q, W).
    """
    count, places = query.shape[0], key.shape[0]
    asked, given = np.empty((count, _SHARE), np.float32), np.empty((places, _SHARE), np.float32)
    offered, scores = np.zeros((_SHARE, _LANES), np.float32), np.empty((count, _LANES), np.float32)
    shares, found = np.zeros((count, places), np.float32), np.empty((count, _SHARE), np.float32)
    nothing, none = np.zeros((1, _LANES), np.float32), np.zeros((1, _SHARE), np.float32)
    for head in range(HEADS):
        part = slice(head * _SHARE, (head + 1) * _SHARE)
        asked[:], given[:] = query[:, part], value[:, part]
        offered[:, :places] = key[:, part].T
        multiply(asked, offered, nothing, scores)
        for q in range(count):
            _soften(scores[q], bias[head * _PLACES + first + q], shares[q, : first + q + 1])
        multiply(shares, given, none, found)
        out[:, part] = found


@njit(**_HOW)
def _through(x, numbers, at, first, out):
    """Fill (Q, W) what a block makes of (T, W) at the places from ``first`` on; return the next."""
    places = x.shape[0]
    bias, at = _taken(numbers, at, HEADS * _PLACES, _PLACES)
    normal = np.empty_like(x)
    at = _normal(x, numbers, at, normal)
    query, key, value = np.empty_like(out), np.empty_like(x), np.empty_like(x)
    at = _linear(normal[first:], numbers, at, query)
    at = _linear(normal, numbers, at, key)
    at = _linear(normal, numbers, at, value)
    found = np.empty_like(out)
    _attend(query, key, value, bias, first, found)
    at = _linear(found, numbers, at, out)
    for q in range(places - first):
        for d in range(WIDTH):
            out[q, d] += x[first + q, d]
    at = _normal(out, numbers, at, found)
    inner = np.empty((out.shape[0], INNER), np.float32)
    at = _linear(found, numbers, at, inner)
    for q in range(inner.shape[0]):
        for i in range(INNER):
            inner[q, i] = max(inner[q, i], np.float32(0.0))
    at = _linear(inner, numbers, at, found)
    for q in range(out.shape[0]):
        for d in range(WIDTH):
            out[q, d] += found[q, d]
    return at


@njit(**_HOW)
def _pool(vectors, kinds, numbers, at, means):
    """Fill (1, pools x W) weighted means of all videos; return the next place."""
    count = vectors.shape[0]
    recency, at = _taken(numbers, at, POOLS, HISTORY)
    worth, at = _taken(numbers, at, POOLS, KINDS)
    cold, at = _taken(numbers, at, 1, WIDTH)
    cold_weight, at = _taken(numbers, at, 1, 1)
    for pool in range(POOLS):
        mean = means[0, pool * WIDTH : (pool + 1) * WIDTH]
        mean[:] = cold[0]
        total = cold_weight[0, 0]
        for h in range(count):
            weight = recency[pool, HISTORY - count + h] * worth[pool, kinds[h]]
            total += weight
            for d in range(WIDTH):
                mean[d] += weight * vectors[h, d]
        for d in range(WIDTH):
            mean[d] /= total
    return at


@njit(**_HOW)
def fill_user(vectors, kinds, numbers, out):
    """Fill (W,) a viewer's unit vector; return whether all of it is finite.

    Args:
        vectors: (n, W) float32 of what the viewer took to, oldest first, 32 at most.
        kinds: (n,) int64.
        numbers: all parts of a tower.
        out: (W,) float32.
    """
    count = vectors.shape[0]
    x = np.empty((count + 1, WIDTH), np.float32)
    at = _linear(vectors, numbers, 0, x[1:])
    of_kind, at = _taken(numbers, at, KINDS, WIDTH)
    begin, at = _taken(numbers, at, 1, WIDTH)
    x[0] = begin[0]
    for h in range(count):
        x[h + 1] += of_kind[kinds[h]]
    whole = np.empty_like(x)
    at = _through(x, numbers, at, 0, whole)
    last, left = np.empty((1, WIDTH), np.float32), np.empty((1, WIDTH), np.float32)
    at = _through(whole, numbers, at, count, last)
    at = _normal(last, numbers, at, left)
    at = _linear(left, numbers, at, last)
    means, inner = np.empty((1, POOLED), np.float32), np.empty((1, POOLED), np.float32)
    at = _pool(vectors, kinds, numbers, at, means)
    at = _linear(means, numbers, at, inner)
    for i in range(POOLED):
        inner[0, i] = max(inner[0, i], np.float32(0.0))
    at = _linear(inner, numbers, at, left)
    square = np.float32(0.0)
    for d in range(WIDTH):
        out[d] = means[0, d] + left[0, d] + last[0, d]
        square += out[d] * out[d]
    length = max(np.sqrt(square), numbers[at])
    finite = True
    for d in range(WIDTH):
        out[d] /= length
        finite &= np.isfinite(out[d])
    return finite
