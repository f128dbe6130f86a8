"""Choosing a slate: at each place the candidate of most merit among those that fit best."""

import numpy as np
from numba import njit

from playbill.features.layout import NO_TOPIC, TOPICS_PER_ITEM
from playbill.ranking.merit_kernel import fill_little_shown, fill_merit, liken, put_in_order

_NEVER = -1_000


@njit(nogil=True, cache=True)
def _columns_of(rows, items, order):
    """Return authors (C,), topics (4, C) with -1 for none, and how many (C,), in order."""
    count = order.shape[0]
    makers = np.empty(count, np.uint32)
    topics = np.full((TOPICS_PER_ITEM, count), np.float32(-1.0), np.float32)
    named = np.zeros(count, np.float32)
    for p in range(count):
        item = items[rows[order[p]]]
        makers[p] = item.author
        for t in range(TOPICS_PER_ITEM):
            if item.topics[t] != NO_TOPIC:
                topics[t, p] = item.topics[t]
                named[p] += np.float32(1.0)
    return makers, topics, named


@njit(nogil=True, cache=True)
def _show(item, place, columns, alike, last_place, compared):
    """Let a video that was shown weigh on the candidates: its author's place, its likeness."""
    makers, topics, named = columns
    liken(alike, makers, topics, named, compared, item.author, item.topics)
    for p in range(makers.shape[0]):
        if makers[p] == item.author:
            last_place[p] = place


@njit(nogil=True, cache=True)
def _count(chosen, columns, of_author, of_topic):
    """Count a chosen candidate against the caps of those of its author and its first topic."""
    makers, topics, _ = columns
    author, first = makers[chosen], topics[0, chosen]
    for p in range(makers.shape[0]):
        of_author[p] += makers[p] == author
    if first >= 0.0:
        for p in range(makers.shape[0]):
            of_topic[p] += topics[0, p] == first


@njit(nogil=True, cache=True)
def _fitting_best(place, start, scores, counts, used, little, rules, only_little):
    """Return the candidate for a place, -1 for none.

    Args:
        place: from 0.
        start: candidates before it are used.
        scores: best and merit (C,) float64, best descending; alike (C,) float32.
        counts: of_author, of_topic, last_place, all (C,) int32.
        used: (C,) bool, True for what has a place already.
        little: (C,) bool, True for those of authors who were shown little.
        rules: ``SlateRules``.
        only_little: whether only those count, and only within both caps.
    """
    best, merit, alike = scores
    of_author, of_topic, last_place = counts
    chosen, level, worth = -1, 6, -np.inf
    for p in range(start, used.shape[0]):
        if level == 0 and best[p] <= worth:
            break
        if used[p] or (only_little and not little[p]):
            continue
        full = 2 * (of_topic[p] >= rules.topic_cap)
        if of_author[p] >= rules.author_cap:
            full = 4
        if only_little and full > 0:
            continue
        fits = full + (place - last_place[p] <= rules.author_gap)
        now = merit[p] - rules.diversity * alike[p]
        if fits < level or (fits == level and now > worth):
            chosen, level, worth = p, fits, now
    return chosen


@njit(nogil=True, cache=True)
def _due(floor, before, places):
    """Return how many of the next ``places`` a floor keeps, after ``before`` places."""
    whole = np.floor(floor * (before + places) + 1e-9) - np.floor(floor * before + 1e-9)
    return int(whole)


@njit(nogil=True, cache=True)
def select(utility, rows, items, authors, seen, before, places_before, at_ms, rules, out):
    """Choose a slate of at most K of C candidates; return how many, and how short the floor is.

    A candidate's merit is its utility less its likeness to the places before. At each place those
    count that fit best, in this order of what gives way where none does: the gap between videos of
    one author, the cap on topics, the cap on authors. Where the floor is due only authors who were
    shown little count, while one of them fits both caps.

    Args:
        utility: (C,) float32; what is not finite stands behind all that is, as it came.
        rows: (C,) row of each candidate.
        items: (I,) records; a first topic of ``NO_TOPIC`` is none that could be shared.
        authors: (A,) records.
        seen: (2, W) the viewer's filter: what was shown lately loses the penalty.
        before: (B,) rows of the last places of the pages before, oldest first.
        places_before: how many places those pages had; the floor is a share of all pages.
        at_ms: instant of the request.
        rules: ``SlateRules``.
        out: ``taken`` (C,) bool, all False, True for what was picked; ``picks`` (K,) int64;
            ``kept`` (K,) bool, True for the places that the floor keeps.
    """
    taken, picks, kept = out
    count = rows.shape[0]
    size = min(picks.shape[0], count)
    order, best, merit = np.empty(count, np.int64), np.empty(count), np.empty(count)
    finite = put_in_order(utility, order)
    fill_merit(merit, best, utility, order, finite, size, rules, rows, seen)
    columns = _columns_of(rows, items, order)
    little, used = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    if rules.creator_floor > 0.0:
        fill_little_shown(little, rows, order, items, authors, at_ms, rules.creator_impressions)
    alike = np.zeros(count, np.float32)
    of_author, of_topic = np.zeros(count, np.int32), np.zeros(count, np.int32)
    last_place = np.full(count, np.int32(_NEVER), np.int32)
    compared = finite if rules.diversity > 0.0 else 0
    for b in range(before.shape[0]):
        if before[b] < items.shape[0]:
            _show(items[before[b]], b - before.shape[0], columns, alike, last_place, compared)
    scores, counts = (best, merit, alike), (of_author, of_topic, last_place)
    all_due = _due(rules.creator_floor, places_before, size)
    floored, start = 0, 0
    for place in range(size):
        while start < count - 1 and used[start]:
            start += 1
        chosen = -1
        if floored < _due(rules.creator_floor, places_before, place + 1):
            chosen = _fitting_best(place, start, scores, counts, used, little, rules, True)
        if chosen < 0:
            chosen = _fitting_best(place, start, scores, counts, used, little, rules, False)
        used[chosen] = taken[order[chosen]] = True
        picks[place] = order[chosen]
        kept[place] = little[chosen] and floored < all_due
        floored += little[chosen]
        _show(items[rows[order[chosen]]], place, columns, alike, last_place, compared)
        _count(chosen, columns, of_author, of_topic)
    return size, max(0, all_due - floored)
