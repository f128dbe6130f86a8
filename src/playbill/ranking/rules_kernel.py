"""Asking every rule about every candidate."""

import numpy as np
from numba import njit

from playbill.features.layout import AGE_UNKNOWN, HISTORY, VISIBLE
from playbill.features.layout import DISLIKED as DISLIKED_ACTION
from playbill.features.user_kernel import times_shown

HIDDEN, REGION, AGE_RATING, EXCLUDED, SEEN, DISLIKED, LATER = 1, 2, 4, 8, 16, 32, 64


@njit(nogil=True, cache=True)
def _disliked_authors(user, items, authors):
    """Fill the authors of videos that the viewer hid or reported; return how many."""
    count = 0
    for i in range(user.history_count):
        row = user.history[i]
        if user.history_action[i] & DISLIKED_ACTION and row < items.shape[0]:
            authors[count] = items[row].author
            count += 1
    return count


@njit(nogil=True, cache=True)
def _held_back(user, row, showings):
    """Return whether a video was shown often enough to wait, or shown and acted upon.

    Args:
        user: one ``USER_RECORD``.
        row: of the video.
        showings: that hold it back, 1 or 2; 0 for none, so that only an action does.
    """
    shown = times_shown(user.seen, row)
    if shown == 0:
        return False
    held = 0 < showings <= shown
    for i in range(user.history_count):
        held |= user.history[i] == row
    return held


@njit(nogil=True, cache=True)
def barred(item, region_bit, age):
    """Return the bits of the rules on who may see a video at all, 0 for none; without a branch."""
    hidden = item.flags & VISIBLE == 0
    elsewhere = (item.regions != 0) & (item.regions & region_bit == 0)
    too_old = (age != AGE_UNKNOWN) & (item.age_rating > age)
    return HIDDEN * hidden + REGION * elsewhere + AGE_RATING * too_old


@njit(nogil=True, cache=True)
def broken_by(rows, items, users, region_bit, excluded, below, showings, out):
    """Fill the bits of the rules that each of C candidates breaks.

    Args:
        rows: (C,) rows of the candidates.
        items: (I,) records.
        users: (1,) ``USER_RECORD``; an unknown age counts as an adult's.
        region_bit: of the viewer's region, 0 for none: then only what may be shown everywhere.
        excluded: (E,) rows that the caller named, ascending.
        below: rows from here on were posted after the first page.
        showings: that hold a video back, 1 or 2; 0 for none.
        out: (C,) uint8.
    """
    user = users[0]
    authors = np.empty(HISTORY, np.uint32)
    disliked = _disliked_authors(user, items, authors)
    # So little is done for each here that memory is asked for many records at once.
    for c in range(rows.shape[0]):
        out[c] = barred(items[rows[c]], region_bit, user.age)
    for c in range(rows.shape[0]):
        row = rows[c]
        bits = 0
        if excluded.shape[0]:
            place = np.searchsorted(excluded, row)
            if place < excluded.shape[0] and excluded[place] == row:
                bits |= EXCLUDED
        if row >= below:
            bits |= LATER
        if _held_back(user, row, showings):
            bits |= SEEN
        for i in range(disliked):
            if authors[i] == items[row].author:
                bits |= DISLIKED
        out[c] |= bits


@njit(nogil=True, cache=True)
def fill_permitted(broken, size, never, kept):
    """Fill the places of candidates that may be shown, as ``permitted`` says; return how many.

    Args:
        broken: (C,) uint8 bits of the rules that each candidate breaks.
        size: of the page.
        never: bits of the rules that bring nothing back.
        kept: (C,) int64.
    """
    count = _those_with(broken, 0xFF, 0, kept, 0)
    if count < size:
        count = _those_with(broken, 0xFF, LATER, kept, count)
    if count < size:
        count = _those_with(broken, 0xFF ^ LATER, SEEN, kept, count)
    if not count:
        count = _those_with(broken, never, 0, kept, 0)
    return count


@njit(nogil=True, cache=True)
def _those_with(broken, mask, bits, kept, count):
    """Put behind ``count`` places those whose bits under a mask are just these; count them all."""
    for c in range(broken.shape[0]):
        if broken[c] & mask == bits:
            kept[count] = c
            count += 1
    return count
