"""A slate from its candidates in one call: chosen, given to chance, and looked at once more."""

import numpy as np
from numba import njit

from playbill.ranking.explore_kernel import chance_of_a_place, explore
from playbill.ranking.rules_kernel import barred
from playbill.ranking.select_kernel import select


@njit(nogil=True, cache=True)
def choose(candidates, tables, seen, before, asked, rules, explored, uniforms, picks, propensity):
    """Fill a slate of at most K of C candidates; return how many, and how short the floor is.

    What may no longer be shown to the viewer by now is left out.

    Args:
        candidates: utility (C,) float32, rows (C,) int64, sources (C,) uint8.
        tables: items (I,) and authors (A,) records.
        seen: (2, W) the viewer's filter.
        before: (B,) rows of the last places of the pages before, oldest first.
        asked: places of the pages before, instant of the request, bit of its region, the viewer's
            age.
        rules: (1,) ``SLATE_RULES``.
        explored: code of the source that chance draws from.
        uniforms: (3, K) float64 numbers drawn from [0, 1).
        picks: (K,) int64 out, indices into the candidates.
        propensity: (K,) float32 out.
    """
    utility, rows, sources = candidates
    items, authors = tables
    places_before, at_ms, region_bit, age = asked
    law = rules[0]
    taken = np.zeros(rows.shape[0], np.bool_)
    kept, given = np.zeros(picks.shape[0], np.bool_), np.zeros(picks.shape[0], np.bool_)
    out = taken, picks, kept
    size, short = select(
        utility, rows, items, authors, seen, before, places_before, at_ms, law, out
    )
    chance, pool = 0.0, 1
    if law.explore_share > 0.0:
        pool, free = explore(
            sources, explored, taken, kept[:size], law.explore_share, uniforms, picks, given
        )
        if pool and free:
            chance = chance_of_a_place(free, pool, law.explore_share)
    left = 0
    for place in range(size):
        if barred(items[rows[picks[place]]], region_bit, age):
            continue
        picks[left] = picks[place]
        if given[place]:
            propensity[left] = chance / pool
        else:
            propensity[left] = 1.0 if kept[place] else 1.0 - chance
        left += 1
    return left, short
