"""Rows that are near: of one vector, or of several videos in turn."""

import numpy as np
from numba import njit

from playbill.retrieval.gather_kernel import gather
from playbill.retrieval.hits_kernel import row_of
from playbill.retrieval.merge_kernel import joined
from playbill.retrieval.scan_kernel import scan

_ABOVE_ALL = 1 << 62


@njit(nogil=True, cache=True)
def near_vector(tree, segments, vector, effort, gate, near):
    """Fill the rows nearest to a vector, best first; return how many.

    Args:
        tree: as ``scan`` takes it, and ``segments``, ``effort`` and ``gate``.
        segments: what is looked through.
        vector: (D,) float32.
        effort: groups and lists.
        gate: what must not be found.
        near: (K,) int64.
    """
    hits, found = np.empty((1, near.shape[0]), np.uint64), np.empty(1, np.int64)
    scan(tree, segments, vector.reshape((1, vector.shape[0])), effort, gate, hits, found)
    return _in_turn(hits, found, near)


@njit(nogil=True, cache=True)
def near_each(seeds, places, indexed, later, tree, segments, effort, gate, count, near):
    """Fill the nearest of each seed, then each one's second, each row where it came first.

    Args:
        seeds: (S,) int64 rows; those without a vector are passed over.
        places: as ``gather`` takes them, and ``indexed`` and ``later``.
        indexed: codes and scales of the index.
        later: codes and scales of what came later.
        tree: as ``scan`` takes it, and ``segments``, ``effort`` and ``gate``.
        segments: what is looked through.
        effort: groups and lists for each seed.
        gate: what must not be found.
        count: how many for each seed.
        near: (K,) int64; when it is full the rest is left out.

    Returns:
        How many rows there are.
    """
    vectors = np.empty((seeds.shape[0], indexed[0].shape[1]), np.float32)
    known = np.empty(seeds.shape[0], np.bool_)
    gather(seeds, places, indexed, later, vectors, known)
    queries = 0
    for s in range(seeds.shape[0]):
        if known[s]:
            vectors[queries] = vectors[s]
            queries += 1
    hits = np.empty((queries, count), np.uint64)
    found = np.empty(queries, np.int64)
    scan(tree, segments, vectors[:queries], effort, gate, hits, found)
    rows = np.empty(hits.size, np.int64)
    count = _in_turn(hits, found, rows)
    return joined(rows[:count], rows[:0], _ABOVE_ALL, near)


@njit(nogil=True, cache=True)
def _in_turn(hits, found, rows):
    """Fill the rows of (Q, K) hits in no order: the best of each query, then each one's second."""
    for q in range(hits.shape[0]):
        hits[q, : found[q]].sort()
    count = 0
    for k in range(1, hits.shape[1] + 1):
        for q in range(hits.shape[0]):
            if k <= found[q]:
                rows[count] = row_of(hits[q, found[q] - k])
                count += 1
    return count
