"""Passes of the candidate sources over a viewer's row and over lists of rows."""

import numpy as np
from numba import njit

from playbill.features.arithmetic_kernel import mixed
from playbill.features.layout import DISLIKED, NO_ROW, TOOK_TO
from playbill.retrieval.merge_kernel import joined, joins, room_for

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_ROOMY = 8
"""In a pool so many times as large as what is drawn, few draws come twice."""


@njit(nogil=True, cache=True)
def taken_to(users, below, seeds):
    """Fill the newest videos that a viewer took to, newest first; return how many.

    Those from row ``below`` on count among the newest, and are left out.

    Args:
        users: (1,) ``USER_RECORD``.
        below: a row.
        seeds: (S,) int64.
    """
    user = users[0]
    met, count = 0, 0
    for i in range(user.history_count):
        action = user.history_action[i]
        if not action & TOOK_TO or action & DISLIKED:
            continue
        if met == seeds.shape[0]:
            break
        met += 1
        if user.history[i] < below:
            seeds[count] = user.history[i]
            count += 1
    return count


@njit(nogil=True, cache=True)
def newest_of_followed(users, by_author, items, newest):
    """Fill the newest video of each author that a viewer follows, then each one's second.

    A video posted again by another author stays on the list of the first, and is left out unless
    the other one is followed too.

    Args:
        users: (1,) ``USER_RECORD``.
        by_author: (A, N) int64 newest rows of each author, -1 for none.
        items: (I,) records.
        newest: (C,) int64.

    Returns:
        How many rows there are.
    """
    user = users[0]
    count = 0
    for n in range(by_author.shape[1]):
        for f in range(user.follow_count):
            author = user.follows[f]
            if author == NO_ROW or author >= by_author.shape[0]:
                continue
            row = by_author[author, n]
            if not 0 <= row < items.shape[0] or not _follows(user, items[row].author):
                continue
            if count == newest.shape[0]:
                return count
            newest[count] = row
            count += 1
    return count


@njit(nogil=True, cache=True)
def _follows(user, author):
    follows = False
    for f in range(user.follow_count):
        follows |= user.follows[f] == author
    return follows


@njit(nogil=True, cache=True)
def first_below(rows, below, found):
    """Fill the first of (N,) rows from 0 to ``below`` - 1; return how many."""
    count = 0
    for n in range(rows.shape[0]):
        if count == found.shape[0]:
            break
        if 0 <= rows[n] < below:
            found[count] = rows[n]
            count += 1
    return count


@njit(nogil=True, cache=True)
def listed_of(lists, group, below, found):
    """Fill the rows of a group's list, then those of everywhere's, each once; return how many.

    Args:
        lists: (G, K) int64 rows, -1 for none; group 0 is everywhere.
        group: one of them.
        below: rows from here on are left out.
        found: (C,) int64.
    """
    return joined(lists[group], lists[0], below, found)


@njit(nogil=True, cache=True)
def drawn(pool, seed, found):
    """Fill rows drawn without replacement, each as likely as the others; return how many.

    Args:
        pool: (P,) int64.
        seed: uint64, all of chance.
        found: (C,) int64.
    """
    count = min(found.shape[0], pool.shape[0])
    if pool.shape[0] < _ROOMY * count:
        _shuffled(pool.copy(), seed, found[:count])
        return count
    taken, n, draw = room_for(count), 0, 0
    while n < count:
        place = _one_of(pool.shape[0], seed, draw)
        draw += 1
        if joins(taken, place):
            found[n] = pool[place]
            n += 1
    return count


@njit(nogil=True, cache=True)
def _shuffled(left, seed, found):
    for n in range(found.shape[0]):
        other = n + _one_of(left.shape[0] - n, seed, n)
        found[n], left[other] = left[other], left[n]


@njit(nogil=True, cache=True)
def _one_of(count, seed, draw):
    """Return a number from 0 to ``count`` - 1, each as likely: draw by draw of SplitMix64."""
    number = mixed(seed + np.uint64(draw) * _GOLDEN) >> _HALF
    return np.int64(number * np.uint64(count) >> _HALF)
