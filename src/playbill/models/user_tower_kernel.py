"""A viewer's vector, computed for one viewer: the graph's operations without a runtime's."""

import numpy as np
from numba import njit

_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def add_product(x, weights, out):
    """Add (I,) numbers times (I, O) weights to (O,) ``out``."""
    for i in range(x.shape[0]):
        for o in range(out.shape[0]):
            out[o] += x[i] * weights[i, o]


@njit(**_HOW)
def weigh_history(vectors, user, tables, worth):
    """Fill (H,) what each video of a viewer's history counts; one without a vector, nothing."""
    by_action, by_rank = tables
    for h in range(vectors.shape[0]):
        met = False
        for d in range(vectors.shape[1]):
            met |= vectors[h, d] != 0.0
        worth[h] = by_action[user.history_action[h]] * by_rank[h] if met else np.float32(0.0)


@njit(**_HOW)
def fill_user(vectors, user, tables, recency, cold, inner, outer, least, out):
    """Fill (D,) a viewer's unit vector; return whether all of it is finite.

    Args:
        vectors: (H, D) float32 of the viewer's history; zeros where a video has none.
        user: one ``USER_RECORD``.
        tables: (256,) float32 worth of an action and (H or more,) of a place in the history.
        recency: (P, H) or longer rows, by which each mean weighs them.
        cold: (D,) added to each sum, and what it weighs.
        inner: (P x D, I) weights and (I,) bias.
        outer: (I, D) weights and (D,) bias.
        least: the smallest length that is divided by.
        out: (D,) float32.
    """
    stand_in, stand_in_weight = cold
    width = out.shape[0]
    worth = np.empty(vectors.shape[0], np.float32)
    weigh_history(vectors, user, tables, worth)
    means = np.empty(recency.shape[0] * width, np.float32)
    for place in range(recency.shape[0]):
        mean = means[place * width : (place + 1) * width]
        mean[:] = np.float32(0.0)
        total = np.float32(0.0)
        for h in range(vectors.shape[0]):
            weight = worth[h] * recency[place, h]
            total += weight
            for d in range(width):
                mean[d] += weight * vectors[h, d]
        total += stand_in_weight
        for d in range(width):
            mean[d] = (mean[d] + stand_in[d]) / total
    refined = inner[1].copy()
    add_product(means, inner[0], refined)
    for i in range(refined.shape[0]):
        refined[i] = max(refined[i], np.float32(0.0))
    out[:] = outer[1]
    add_product(refined, outer[0], out)
    square = np.float32(0.0)
    for d in range(width):
        out[d] += means[d]
        square += out[d] * out[d]
    length = max(np.sqrt(square), least)
    finite = True
    for d in range(width):
        out[d] = out[d] / length
        finite &= np.isfinite(out[d])
    return finite
