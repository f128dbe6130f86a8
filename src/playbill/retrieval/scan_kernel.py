"""Scanning inverted lists of 8-bit codes: the best of thousands in one pass.

A hit is one unsigned number that orders as hits do: the score in the upper half, and in the lower
half the row upside down, so that of equal scores the first row is the larger hit.
"""

import numpy as np
from numba import njit

from playbill.features.layout import AGE_UNKNOWN, VISIBLE

LARGEST_CODE = np.float32(127.0)
USUAL_WIDTH = 64
"""A width that the compiler knows is scanned twice as fast as one it has to ask for."""
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SIGN = np.uint32(0x80000000)
_SPARE = 4
"""One in so many hits beyond those that are wanted is kept for the gate to take away."""


@njit(nogil=True, cache=True, inline="always")
def may_show(item, region_bit, age):
    """Return whether a video is visible, for the region, and for the age."""
    if not item.flags & VISIBLE:
        return False
    if item.regions != 0 and not item.regions & region_bit:
        return False
    return age == AGE_UNKNOWN or item.age_rating <= age


@njit(nogil=True, cache=True, inline="always")
def _hit(score, row):
    bits = np.float32(score).view(np.uint32)
    ordered = ~bits if bits & _SIGN else bits | _SIGN
    return (np.uint64(ordered) << _HALF) | (~np.uint64(row) & _LOW)


@njit(nogil=True, cache=True, inline="always")
def _score(hit):
    ordered = np.uint32(hit >> _HALF)
    bits = ordered ^ _SIGN if ordered & _SIGN else ~ordered
    return np.uint32(bits).view(np.float32)


def rows_of(hits):
    """Return (K,) rows of (K,) hits."""
    return (~hits & _LOW).view(np.int64)


def hits_apart(hits):
    """Return (K,) rows and (K,) float32 scores of (K,) hits."""
    ordered = (hits >> _HALF).astype(np.uint32)
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    return rows_of(hits), bits.view(np.float32)


@njit(nogil=True, cache=True)
def _best_in_front(hits, count, keep):
    """Move the ``keep`` largest of ``count`` hits to the front, the least of them last."""
    low, high = 0, count - 1
    while low < high:
        pivot = hits[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while hits[left] > pivot:
                left += 1
            while hits[right] < pivot:
                right -= 1
            if left <= right:
                hits[left], hits[right] = hits[right], hits[left]
                left += 1
                right -= 1
        if keep - 1 <= right:
            high = right
        elif keep - 1 >= left:
            low = left
        else:
            return


@njit(nogil=True, cache=True)
def _code(vector, code):
    """Fill the 8-bit code of a vector, as 16-bit numbers, and return what one step is worth."""
    largest = np.float32(1e-12)
    for d in range(vector.shape[0]):
        largest = max(largest, abs(vector[d]))
    step = np.float32(largest / LARGEST_CODE)
    for d in range(vector.shape[0]):
        code[d] = np.int16(np.rint(vector[d] / step))
    return step


@njit(nogil=True, cache=True, inline="always")
def _dot(row, code, width):
    """Return a dot product in 32 bits all along, which the compiler turns into wide additions."""
    total = np.int32(0)
    for d in range(width):
        total = np.int32(total + np.int32(np.int16(row[d]) * code[d]))
    return total


@njit(nogil=True, cache=True)
def _scores(codes, scales, code, step, out):
    """Fill the score of each of a list's codes."""
    if code.shape[0] == USUAL_WIDTH:
        for n in range(codes.shape[0]):
            out[n] = np.float32(_dot(codes[n], code, USUAL_WIDTH)) * scales[n] * step
    else:
        for n in range(codes.shape[0]):
            out[n] = np.float32(_dot(codes[n], code, code.shape[0])) * scales[n] * step


@njit(nogil=True, cache=True)
def _insert(names, scores, count, name, score):
    """Put a name that is good enough among the best, best first; return how many there are now."""
    place = min(count, names.shape[0] - 1)
    while place > 0 and scores[place - 1] < score:
        names[place], scores[place] = names[place - 1], scores[place - 1]
        place -= 1
    names[place], scores[place] = name, score
    return min(count + 1, names.shape[0])


@njit(nogil=True, cache=True)
def _best_of(part, code, step, work, names, best, count):
    """Take codes ``first`` to ``last`` into the best ``count`` so far; return how many there are.

    Args:
        part: (N, D) codes, (N,) scales, first and last.
        code: (D,) int16.
        step: of the code.
        work: float32, as long as the part.
        names: (K,) int64, the best so far.
        best: (K,) float32, their scores.
        count: of them.
    """
    codes, scales, first, last = part
    _scores(codes[first:last], scales[first:last], code, step, work)
    bar = best[count - 1] if count == best.shape[0] else np.float32(-np.inf)
    for n in range(last - first):
        if work[n] > bar:
            count = _insert(names, best, count, first + n, work[n])
            bar = best[count - 1] if count == best.shape[0] else np.float32(-np.inf)
    return count


@njit(nogil=True, cache=True)
def _nearest_lists(tree, code, step, work, groups, lists):
    """Fill ``lists`` with those nearest to a code, of the groups nearest to it; return how many.

    Args:
        tree: (S, D) codes and (S,) scales of groups, (S + 1,) where their lists begin, (L, D)
            codes and (L,) scales of lists.
        code: (D,) int16.
        step: of the code.
        work: float32, as long as the longest group and as the number of groups.
        groups: (G,) int64, for as many groups as are looked into.
        lists: (P,) int64.
    """
    group_codes, group_scales, group_starts, list_codes, list_scales = tree
    best = np.empty(groups.shape[0], np.float32)
    every = (group_codes, group_scales, np.int64(0), np.int64(group_codes.shape[0]))
    chosen = _best_of(every, code, step, work, groups, best, 0)
    best = np.empty(lists.shape[0], np.float32)
    count = 0
    for c in range(chosen):
        first, last = group_starts[groups[c]], group_starts[groups[c] + 1]
        part = (list_codes, list_scales, first, last)
        count = _best_of(part, code, step, work, lists, best, count)
    return count


@njit(nogil=True, cache=True)
def _longest(starts):
    longest = 0
    for n in range(starts.shape[0] - 1):
        longest = max(longest, starts[n + 1] - starts[n])
    return longest


@njit(nogil=True, cache=True)
def _permitted(hits, first, count, gate):
    """Keep those of ``hits[first:count]`` that may be shown; return how many hits there are now.

    Many at a time, so that memory is asked for all of their records at once.
    """
    items, region_bit, age = gate
    kept = first
    for h in range(first, count):
        row = ~hits[h] & _LOW
        if row < items.shape[0] and may_show(items[row], region_bit, age):
            hits[kept] = hits[h]
            kept += 1
    return kept


@njit(nogil=True, cache=True)
def assign(tree, vectors, groups_looked_into, owner):
    """Fill (M,) the list nearest to each of (M, D) vectors."""
    code = np.empty(vectors.shape[1], np.int16)
    groups = np.empty(min(groups_looked_into, tree[0].shape[0]), np.int64)
    nearest = np.empty(1, np.int64)
    work = np.empty(max(tree[0].shape[0], _longest(tree[2])), np.float32)
    for m in range(vectors.shape[0]):
        step = _code(vectors[m], code)
        _nearest_lists(tree, code, step, work, groups, nearest)
        owner[m] = nearest[0]


@njit(nogil=True, cache=True)
def _look_through(segments, lists, code, step, scores, gate, best):
    """Fill the best hits of some lists, in no order.

    Args:
        segments: as in ``scan``.
        lists: (P,) int64, nearest first.
        code: (D,) int16.
        step: of the code.
        scores: float32, as long as any list of any segment.
        gate: as in ``scan``.
        best: (2 K,) uint64.

    Returns:
        How many hits there are, at most K, and whether more were found.
    """
    keep = best.shape[0] // 2
    count, checked, cut = 0, 0, False
    bar, bar_score = np.uint64(0), np.float32(-np.inf)
    for p in range(lists.shape[0]):
        for segment in segments:
            starts, codes, scales, rows = segment
            first, last = starts[lists[p]], starts[lists[p] + 1]
            _scores(codes[first:last], scales[first:last], code, step, scores)
            for n in range(last - first):
                if scores[n] < bar_score or rows[first + n] < 0:
                    continue
                hit = _hit(scores[n], rows[first + n])
                if hit < bar:
                    continue
                best[count] = hit
                count += 1
                if count == best.shape[0]:
                    if gate is not None:
                        count = _permitted(best, checked, count, gate)
                    if count > keep:
                        _best_in_front(best, count, keep)
                        count, bar, cut = keep, best[keep - 1], True
                        bar_score = _score(bar)
                    checked = count
    if gate is not None:
        count = _permitted(best, checked, count, gate)
    if count > keep:
        _best_in_front(best, count, keep)
        count, cut = keep, True
    return count, cut


@njit(nogil=True, cache=True)
def scan(tree, segments, queries, effort, gate, hits, found):
    """Fill the best hits of each of Q queries, in no order.

    Most videos may be shown, so the gate first looks at somewhat more hits than are wanted. Only
    where that leaves too few does it look at everything that is near.

    Args:
        tree: groups of lists, as ``_nearest_lists`` takes them.
        segments: a tuple of them, all over the tree's lists: (L + 1,) where lists begin, (N, D)
            int8 codes list by list, (N,) float32 scales, (N,) int32 rows, -1 for none.
        queries: (Q, D) float32.
        effort: how many groups and how many lists are looked into for each query.
        gate: None, or items (I,), a region's bit and an age: what must not be shown there is
            passed over.
        hits: (Q, K) uint64.
        found: (Q,) int64, how many hits each query has.
    """
    wanted = hits.shape[1]
    groups = np.empty(min(effort[0], tree[0].shape[0]), np.int64)
    lists = np.empty(min(effort[1], tree[3].shape[0]), np.int64)
    longest = max(tree[0].shape[0], _longest(tree[2]))
    work = np.empty(longest, np.float32)
    best = np.empty(2 * (wanted + wanted // _SPARE + 1), np.uint64)
    code = np.empty(queries.shape[1], np.int16)
    for q in range(queries.shape[0]):
        step = _code(queries[q], code)
        near = lists[: _nearest_lists(tree, code, step, work[:longest], groups, lists)]
        for segment in segments:
            for p in range(near.shape[0]):
                size = segment[0][near[p] + 1] - segment[0][near[p]]
                if size > work.shape[0]:
                    work = np.empty(2 * size, np.float32)
        count, cut = _look_through(segments, near, code, step, work, None, best)
        if gate is not None:
            count = _permitted(best, 0, count, gate)
            if count < wanted and cut:
                count, _ = _look_through(segments, near, code, step, work, gate, best)
        if count > wanted:
            _best_in_front(best, count, wanted)
            count = wanted
        hits[q, :count] = best[:count]
        found[q] = count
