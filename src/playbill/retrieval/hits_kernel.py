"""Hits of a scan: what each is, the best of many, and which of them may be shown.

A hit is one unsigned number that orders as hits do: the score in the upper half, and in the lower
half the row upside down, so that of equal scores the first row is the larger hit.
"""

import numpy as np
from numba import njit

from playbill.features.layout import AGE_UNKNOWN, VISIBLE

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SIGN = np.uint32(0x80000000)


@njit(nogil=True, cache=True, inline="always")
def may_show(item, region_bit, age):
    """Return whether a video is visible, for the region, and for the age."""
    visible = item.flags & VISIBLE != 0
    here = (item.regions == 0) | (item.regions & region_bit != 0)
    return visible & here & ((age == AGE_UNKNOWN) | (item.age_rating <= age))


@njit(nogil=True, cache=True, inline="always")
def hit_of(score, row):
    """Return the hit of a row with a float32 score."""
    bits = np.float32(score).view(np.uint32)
    ordered = ~bits if bits & _SIGN else bits | _SIGN
    return (np.uint64(ordered) << _HALF) | (~np.uint64(row) & _LOW)


@njit(nogil=True, cache=True, inline="always")
def score_of(hit):
    """Return the float32 score of a hit."""
    ordered = np.uint32(hit >> _HALF)
    bits = ordered ^ _SIGN if ordered & _SIGN else ~ordered
    return np.uint32(bits).view(np.float32)


@njit(nogil=True, cache=True, inline="always")
def row_of(hit):
    """Return the row of one hit."""
    return np.int64(~hit & _LOW)


def rows_of(hits):
    """Return (K,) rows of (K,) hits."""
    return (~hits & _LOW).view(np.int64)


def hits_apart(hits):
    """Return (K,) rows and (K,) float32 scores of (K,) hits."""
    ordered = (hits >> _HALF).astype(np.uint32)
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    return rows_of(hits), bits.view(np.float32)


@njit(nogil=True, cache=True)
def best_in_front(hits, count, keep):
    """Move the ``keep`` largest of ``count`` hits to the front, the least of them last.

    Parts are told apart without a branch: whether a hit is above another nobody can foretell.
    """
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        pivot, hits[middle] = hits[middle], hits[high]
        above = low
        for h in range(low, high):
            hit = hits[h]
            hits[h] = hits[above]
            hits[above] = hit
            above += hit > pivot
        hits[high], hits[above] = hits[above], pivot
        if above == keep - 1:
            return
        if above < keep - 1:
            low = above + 1
        else:
            high = above - 1


@njit(nogil=True, cache=True)
def permitted(hits, first, count, gate):
    """Keep those of ``hits[first:count]`` that may be shown; return how many hits there are now.

    All records are looked at before any hit is moved: where a hit goes depends on the records
    before it, and memory would be asked for one after the other.
    """
    items, region_bit, age = gate
    shown = np.empty(count - first, np.uint8)
    for n in range(shown.shape[0]):
        row = row_of(hits[first + n])
        there = row < items.shape[0]
        shown[n] = there & may_show(items[row if there else 0], region_bit, age)
    kept = first
    for n in range(shown.shape[0]):
        hits[kept] = hits[first + n]
        kept += shown[n]
    return kept
