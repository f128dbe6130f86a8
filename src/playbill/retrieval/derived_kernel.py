"""Passes over item records for the lists that a worker derives from them."""

from numba import njit

from playbill.features.arithmetic_kernel import pow2
from playbill.features.layout import VISIBLE


@njit(nogil=True, cache=True)
def newest_listed(items, rows, since_ms, listed):
    """Fill the first of ``rows`` that are visible and were published after an instant; count them.

    Args:
        items: (I,) records.
        rows: (N,) int64.
        since_ms: instant.
        listed: (K,) int64.
    """
    count = 0
    for n in range(rows.shape[0]):
        item = items[rows[n]]
        if item.flags & VISIBLE and item.created_at_ms > since_ms:
            listed[count] = rows[n]
            count += 1
            if count == listed.shape[0]:
                break
    return count


@njit(nogil=True, cache=True)
def little_shown(items, least_row, slot, half_life_ms, now_ms, most, found):
    """Fill the last visible rows that were shown little, the last one first; count them.

    Args:
        items: (I,) records.
        least_row: none before it is looked at.
        slot: of impressions.
        half_life_ms: of the slot.
        now_ms: to which impressions decay.
        most: decayed impressions of what counts as little shown are below it.
        found: (K,) int64.
    """
    count = 0
    for row in range(items.shape[0] - 1, least_row - 1, -1):
        if count == found.shape[0]:
            break
        item = items[row]
        if not item.flags & VISIBLE:
            continue
        age = max(float(now_ms - item.landmark_ms), 0.0)
        if item.slots[slot] * pow2(-age / half_life_ms) < most:
            found[count] = row
            count += 1
    return count


@njit(nogil=True, cache=True)
def push_by_author(items, first, by_author):
    """Put each row from ``first`` on at the front of its author's (A, K) list."""
    for row in range(first, items.shape[0]):
        own = by_author[items[row].author]
        for k in range(own.shape[0] - 1, 0, -1):
            own[k] = own[k - 1]
        own[0] = row


@njit(nogil=True, cache=True)
def list_by_author(items, counts, by_author):
    """Fill the empty (A, K) lists of all authors: what ``push_by_author`` makes of every row.

    From the newest back, so that of an author of many only the last are written.

    Args:
        items: (I,) records.
        counts: (A,) uint8 zeros; how many each author has, K at most.
        by_author: (A, K) int64.
    """
    places = by_author.shape[1]
    for row in range(items.shape[0] - 1, -1, -1):
        author = items[row].author
        if counts[author] < places:
            by_author[author, counts[author]] = row
            counts[author] += 1
