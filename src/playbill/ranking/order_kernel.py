"""Putting candidates in order: one unsigned number each, which sorts as they do."""

import numpy as np
from numba import njit

from playbill.features.layout import NO_TOPIC

_SIGN = np.uint32(0x80000000)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@njit(nogil=True, cache=True)
def fill_keys(scores, keys):
    """Fill (C,) keys: the score above, the place upside down below. What is no number is -inf.

    Args:
        scores: (C,) float32; what is not finite becomes -inf here.
        keys: (C,) uint64.
    """
    for c in range(scores.shape[0]):
        if not np.isfinite(scores[c]):
            scores[c] = np.float32(-np.inf)
        bits = np.float32(scores[c]).view(np.uint32)
        ordered = ~bits if bits & _SIGN else bits | _SIGN
        keys[c] = (np.uint64(ordered) << _HALF) | (~np.uint64(c) & _LOW)


@njit(nogil=True, cache=True)
def fill_ordered(keys, columns, ordered):
    """Fill (C,) columns with those of the candidates, the last of (C,) ascending keys first.

    Args:
        keys: (C,) uint64, ascending.
        columns: rows int64, sources uint8, places int64 and light float32, as candidates came.
        ordered: the same of the candidates in order.
    """
    rows, sources, places, light = columns
    to_rows, to_sources, to_places, to_light = ordered
    for c in range(keys.shape[0]):
        at = np.int64(~keys[keys.shape[0] - 1 - c] & _LOW)
        to_rows[c] = rows[at]
        to_sources[c] = sources[at]
        to_places[c] = places[at]
        to_light[c] = light[at]


@njit(nogil=True, cache=True)
def fill_categories(rows, items, place, categories):
    """Fill (C, 3) int64 codes of (C,) rows: surface, region, first topic + 1, 0 for none.

    Args:
        rows: (C,) row of each candidate.
        items: (I,) records.
        place: surface code and region code.
        categories: (C, 3) int64.
    """
    for c in range(rows.shape[0]):
        categories[c, 0] = place[0]
        categories[c, 1] = place[1]
        topic = np.int64(items[rows[c]].topics[0])
        categories[c, 2] = 0 if topic == NO_TOPIC else topic + 1


@njit(nogil=True, cache=True)
def fill_utility(p_action, values, utility):
    """Fill the expected utility of the first H of C candidates, -inf for the others; count finite.

    Args:
        p_action: (H, A) float32 probabilities.
        values: (A,) float32 utility of each action.
        utility: (C,) float32; -inf where it is not finite.
    """
    finite = 0
    for c in range(utility.shape[0]):
        utility[c] = np.float32(-np.inf)
        if c < p_action.shape[0]:
            total = np.float32(0.0)
            for a in range(values.shape[0]):
                total += p_action[c, a] * values[a]
            if np.isfinite(total):
                utility[c] = total
                finite += 1
    return finite


@njit(nogil=True, cache=True)
def fill_scores(utility, light, scores):
    """Fill (K,) finite numbers for a reply: those without a utility stand below the others.

    Args:
        utility: (K,) float32; what is not finite says nothing.
        light: (K,) float32, which then speaks; where that is not finite either, the lowest does.
        scores: (K,) float32.
    """
    floor, lowest = np.float32(np.inf), np.float32(0.0)
    for k in range(utility.shape[0]):
        if np.isfinite(utility[k]):
            floor = min(floor, utility[k])
    for k in range(utility.shape[0]):
        score = utility[k]
        if not np.isfinite(score):
            score = floor if light[k] > floor else light[k]
        scores[k] = score
        if np.isfinite(score):
            lowest = min(lowest, score)
    for k in range(utility.shape[0]):
        if not np.isfinite(scores[k]):
            scores[k] = lowest
