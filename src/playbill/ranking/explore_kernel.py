"""Giving places of a slate to chance."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def explore(sources, code, taken, kept, share, uniforms, picks, given):
    """Give places to candidates drawn by chance; return how many there were of both.

    Every place that is not kept is given with probability ``share``. Where that is more places
    than there are candidates, as many of them as there are candidates, drawn, stay given.

    Args:
        sources: (C,) uint8 source of each candidate.
        code: of the source that is drawn from.
        taken: (C,) bool, candidates that have a place already.
        kept: (K,) bool, places that are not to be given.
        share: probability.
        uniforms: (3, K) float64 numbers drawn from [0, 1).
        picks: (K or more,) int64 candidates, changed where a place is given.
        given: (K or more,) bool, True for places that were given.

    Returns:
        Candidates there were to draw from, and places that could have been given.
    """
    pool = np.empty(sources.shape[0], np.int64)
    count = 0
    for c in range(sources.shape[0]):
        if sources[c] == code and not taken[c]:
            pool[count] = c
            count += 1
    places = np.empty(kept.shape[0], np.int64)
    wanted, free = 0, 0
    for k in range(kept.shape[0]):
        given[k] = False
        if kept[k]:
            continue
        free += 1
        if uniforms[0, k] < share:
            places[wanted] = k
            wanted += 1
    _shuffle(places, wanted, min(wanted, count), uniforms[1])
    wanted = min(wanted, count)
    _shuffle(pool, count, wanted, uniforms[2])
    for n in range(wanted):
        picks[places[n]] = pool[n]
        given[places[n]] = True
    return count, free


@njit(nogil=True, cache=True)
def _shuffle(values, count, drawn, uniforms):
    """Bring ``drawn`` of the first ``count`` values to the front, drawn without replacement."""
    for n in range(min(drawn, count - 1)):
        other = n + int(uniforms[n] * (count - n))
        values[n], values[other] = values[other], values[n]


@njit(nogil=True, cache=True)
def chance_of_a_place(places, most, share):
    """Return the probability that chance gets one of some places, at most ``most`` of them.

    Args:
        places: 1 or more.
        most: candidates there are to draw from.
        share: probability that a place is wanted, above 0.
    """
    if most >= places or share >= 1.0:
        return share * min(1.0, most / places)
    wanted, total = (1.0 - share) ** places, 0.0
    for n in range(places):
        wanted *= (places - n) / (n + 1) * share / (1.0 - share)
        total += min(n + 1, most) * wanted
    return total / places
