"""Scanning inverted lists of 8-bit codes: the best of thousands in one pass.

A hit is one unsigned number that orders as hits do: the score in the upper half, and in the lower
half the place upside down, so that of equal scores the first place is the larger hit.
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


@njit(nogil=True, cache=True, inline="always")
def may_show(item, region_bit, age):
    """Return whether a video is visible, for the region, and for the age."""
    if not item.flags & VISIBLE:
        return False
    if item.regions != 0 and not item.regions & region_bit:
        return False
    return age == AGE_UNKNOWN or item.age_rating <= age


@njit(nogil=True, cache=True, inline="always")
def _hit(score, place):
    bits = np.float32(score).view(np.uint32)
    ordered = ~bits if bits & _SIGN else bits | _SIGN
    return (np.uint64(ordered) << _HALF) | (~np.uint64(place) & _LOW)


@njit(nogil=True, cache=True, inline="always")
def _score(hit):
    ordered = np.uint32(hit >> _HALF)
    bits = ordered ^ _SIGN if ordered & _SIGN else ~ordered
    return np.uint32(bits).view(np.float32)


def hits_apart(hits):
    """Return (K,) places and (K,) float32 scores of (K,) hits."""
    ordered = (hits >> _HALF).astype(np.uint32)
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    return (~hits & _LOW).astype(np.int64), bits.view(np.float32)


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
def _best_lists(coarse, lists):
    """Fill ``lists`` with the lists of the largest scores, largest first."""
    count = 0
    for c in range(coarse.shape[0]):
        if count == lists.shape[0] and coarse[c] <= coarse[lists[count - 1]]:
            continue
        place = min(count, lists.shape[0] - 1)
        while place > 0 and coarse[lists[place - 1]] < coarse[c]:
            lists[place] = lists[place - 1]
            place -= 1
        lists[place] = c
        count = min(count + 1, lists.shape[0])


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
def _permitted(hits, first, count, gate):
    """Keep those of ``hits[first:count]`` that may be shown; return how many hits there are now.

    Many at a time, so that memory is asked for all of their records at once.
    """
    items, rows, region_bit, age = gate
    kept = first
    for h in range(first, count):
        row = rows[~hits[h] & _LOW]
        if 0 <= row < items.shape[0] and may_show(items[row], region_bit, age):
            hits[kept] = hits[h]
            kept += 1
    return kept


@njit(nogil=True, cache=True)
def _longest(starts, lists):
    longest = 0
    for p in range(lists.shape[0]):
        longest = max(longest, starts[lists[p] + 1] - starts[lists[p]])
    return longest


@njit(nogil=True, cache=True)
def scan(arrays, coarse, queries, probes, gate, hits, found):
    """Fill the best hits of each of Q queries, in no order.

    Args:
        arrays: ``starts`` (L + 1,), ``codes`` (N, D) int8 list by list, ``scales`` (N,) float32.
        coarse: (Q, L) how near each list's centre lies.
        queries: (Q, D) float32.
        probes: lists looked through for each query.
        gate: None, or items (I,), the row of each place (N,), a region's bit and an age: what
            must not be shown there is passed over.
        hits: (Q, 2 K) uint64 for K hits each; the rest is scratch.
        found: (Q,) int64, how many hits each query has.
    """
    starts, codes, scales = arrays
    keep = hits.shape[1] // 2
    lists = np.empty(min(probes, coarse.shape[1]), np.int64)
    code = np.empty(codes.shape[1], np.int16)
    scores = np.empty(0, np.float32)
    for q in range(queries.shape[0]):
        _best_lists(coarse[q], lists)
        longest = _longest(starts, lists)
        if longest > scores.shape[0]:
            scores = np.empty(longest, np.float32)
        step = _code(queries[q], code)
        best = hits[q]
        count, checked = 0, 0
        bar, bar_score = np.uint64(0), np.float32(-np.inf)
        for p in range(lists.shape[0]):
            first, last = starts[lists[p]], starts[lists[p] + 1]
            _scores(codes[first:last], scales[first:last], code, step, scores)
            for n in range(first, last):
                if scores[n - first] < bar_score:
                    continue
                hit = _hit(scores[n - first], n)
                if hit < bar:
                    continue
                best[count] = hit
                count += 1
                if count == best.shape[0]:
                    if gate is not None:
                        count = _permitted(best, checked, count, gate)
                    if count > keep:
                        _best_in_front(best, count, keep)
                        count, bar = keep, best[keep - 1]
                        bar_score = _score(bar)
                    checked = count
        if gate is not None:
            count = _permitted(best, checked, count, gate)
        if count > keep:
            _best_in_front(best, count, keep)
            count = keep
        found[q] = count
