"""What comes next by counts alone: sums over the followers of what a viewer took to lately."""

import numpy as np
from numba import njit

from playbill.retrieval.hits_kernel import best_in_front, hit_of, permitted, row_of
from playbill.retrieval.merge_kernel import joins, room_for
from playbill.retrieval.sources_kernel import taken_to

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
SEEDS = 16
"""So many of the last videos that a viewer took to are asked what follows them."""
FADE = np.float32(0.3)
"""What was taken r videos ago counts e to the power of minus r times this."""


@njit(nogil=True, cache=True)
def next_of(users, below, places, row_of_place, transitions, gate, found):
    """Fill the rows that follow what a viewer took to, strongest first; return how many.

    Each follower has the sum of its weights after the last 16 videos that the viewer took to, an
    older one counting less by a factor of e^-0.3. What is in the viewer's history is left out.

    Args:
        users: (1,) ``USER_RECORD``.
        below: rows from here on are left out.
        places: (R,) int32, the place of each row, -1 for none.
        row_of_place: (N,) int32.
        transitions: ``starts``, ``followers`` and ``weights`` by place.
        gate: what must not be found.
        found: (K,) int64.
    """
    starts, followers, weights = transitions
    seeds = np.empty(SEEDS, np.int64)
    seeds = seeds[: taken_to(users, min(below, places.shape[0]), seeds)]
    room = 0
    for s in range(seeds.shape[0]):
        place = places[seeds[s]]
        if 0 <= place < starts.shape[0] - 1:
            room += starts[place + 1] - starts[place]
    slots = room_for(room)
    sums = np.zeros(slots.shape[0], np.float32)
    last = np.uint64(slots.shape[0] - 1)
    for s in range(seeds.shape[0]):
        place = places[seeds[s]]
        if not 0 <= place < starts.shape[0] - 1:
            continue
        share = np.exp(-FADE * np.float32(s))
        for e in range(starts[place], starts[place + 1]):
            after = np.int64(followers[e])
            slot = (np.uint64(after) * _SPREAD >> np.uint64(32)) & last
            while slots[slot] >= 0 and slots[slot] != after:
                slot = (slot + np.uint64(1)) & last
            slots[slot] = after
            sums[slot] += share * weights[e]
    return _strongest(users, below, slots, sums, row_of_place, gate, found)


@njit(nogil=True, cache=True)
def _strongest(users, below, slots, sums, row_of_place, gate, found):
    """Fill the rows with the largest sums among those that may be shown and are not known."""
    user = users[0]
    known = room_for(user.history_count)
    for h in range(user.history_count):
        joins(known, np.int64(user.history[h]))
    hits = np.empty(slots.shape[0], np.uint64)
    count = 0
    for slot in range(slots.shape[0]):
        if slots[slot] < 0:
            continue
        row = np.int64(row_of_place[slots[slot]])
        if 0 <= row < below and not _among(known, row):
            hits[count] = hit_of(sums[slot], row)
            count += 1
    count = permitted(hits, 0, count, gate)
    keep = min(count, found.shape[0])
    if keep and keep < count:
        best_in_front(hits, count, keep)
    best = np.sort(hits[:keep])
    for k in range(keep):
        found[k] = row_of(best[keep - 1 - k])
    return keep


@njit(nogil=True, cache=True)
def _among(slots, row):
    """Return whether a row is in a set that ``joins`` fills."""
    last = np.uint64(slots.shape[0] - 1)
    slot = (np.uint64(row) * _SPREAD >> np.uint64(32)) & last
    while slots[slot] >= 0:
        if slots[slot] == row:
            return True
        slot = (slot + np.uint64(1)) & last
    return False
