"""What a slate is chosen by: the order of candidates, their merit, their likeness."""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import pow2
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import NO_TOPIC, SLOTS, TOPICS_PER_ITEM
from playbill.features.user_kernel import times_shown

REMEMBERED = 0.8
"""Share of its weight that likeness to a place keeps with each place further down."""
_SLOT, _HALF_LIFE_MS = next(
    (place, slot.half_life_s * 1000.0)
    for place, slot in enumerate(SLOTS[Scope.AUTHOR])
    if slot.signal is Signal.IMPRESSION
)


@njit(nogil=True, cache=True)
def put_in_order(utility, order):
    """Fill ``order`` (C,), best first, equal ones as they came; return how many are finite.

    What is not finite stands behind all that is, as it came.
    """
    finite = 0
    for c in range(utility.shape[0]):
        if np.isfinite(utility[c]):
            order[finite] = c
            finite += 1
    behind = finite
    for c in range(utility.shape[0]):
        if not np.isfinite(utility[c]):
            order[behind] = c
            behind += 1
    other = np.empty(finite, np.int64)
    width = 1
    while width < finite:
        for first in range(0, finite, 2 * width):
            middle, last = min(first + width, finite), min(first + 2 * width, finite)
            left, right = first, middle
            for at in range(first, last):
                from_left = right >= last or (
                    left < middle and utility[order[left]] >= utility[order[right]]
                )
                if from_left:
                    other[at] = order[left]
                    left += 1
                else:
                    other[at] = order[right]
                    right += 1
        order[:finite] = other
        width *= 2
    return finite


@njit(nogil=True, cache=True)
def fill_merit(merit, best, utility, order, finite, places, rules, rows, seen):
    """Fill what each candidate in order is worth, and what it could be worth at most.

    The unit is what the best and the last of two pages are apart. ``-inf`` for no number.
    """
    weight = 1.0 - rules.diversity
    top = float(utility[order[0]]) if finite else 0.0
    spread = top - float(utility[order[min(finite, 2 * places) - 1]]) if finite else 0.0
    if spread <= 0.0 and finite:
        spread = top - float(utility[order[finite - 1]])
    for p in range(order.shape[0]):
        best[p] = merit[p] = -np.inf
        if p < finite:
            lost = (top - float(utility[order[p]])) / spread if spread > 0.0 else 0.0
            best[p] = weight * (1.0 - lost)
            merit[p] = best[p]
            if rules.repeat_penalty > 0.0 and times_shown(seen, rows[order[p]]):
                merit[p] = weight * (1.0 - lost - rules.repeat_penalty)


@njit(nogil=True, cache=True)
def fill_little_shown(little, rows, order, items, authors, at_ms, most):
    """Fill which candidates are of authors whose decayed impressions are below ``most``."""
    for p in range(order.shape[0]):
        author = authors[items[rows[order[p]]].author]
        back = float(author.landmark_ms - at_ms) / _HALF_LIFE_MS
        little[p] = author.slots[_SLOT] * pow2(back) < most


@njit(nogil=True, cache=True)
def liken(alike, authors, topics, named, count, author, its_topics):
    """Let likeness to one shown video weigh on ``count`` candidates, and that to others fade.

    Args:
        alike: (C,) float32, moved. Likeness is the share of topics in common; for videos of one
            author it is half-way from there to 1.
        authors: (C,) of the candidates.
        topics: (4, C) float32 of the candidates, -1 for none.
        named: (C,) float32, how many topics each candidate has.
        count: candidates that it matters for; they come first.
        author: of the video.
        its_topics: (4,) of the video, ``NO_TOPIC`` for none.
    """
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    shared = np.zeros(count, np.float32)
    own = zero
    for t in range(TOPICS_PER_ITEM):
        if its_topics[t] == NO_TOPIC:
            continue
        own += one
        wanted = np.float32(its_topics[t])
        a, b, c, d = topics[0], topics[1], topics[2], topics[3]
        for p in range(count):
            shared[p] += one if a[p] == wanted else zero
            shared[p] += one if b[p] == wanted else zero
            shared[p] += one if c[p] == wanted else zero
            shared[p] += one if d[p] == wanted else zero
    for p in range(count):
        share = min(shared[p] / max(named[p] + own - shared[p], one), one)
        like = half + half * share if authors[p] == author else share
        alike[p] = max(alike[p] * np.float32(REMEMBERED), like)
