"""Scanning inverted lists of 8-bit codes."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def scan(codes, scales, starts, lists, query, query_scale, out_scores, out_places):
    """Score every code of some lists against a query; return how many were scored.

    Args:
        codes: (N, D) int8, list by list.
        scales: (N,) float32, what one step of each code is worth.
        starts: (L + 1,) where each list begins.
        lists: (P,) lists to scan.
        query: (D,) int8.
        query_scale: what one step of the query is worth.
        out_scores: float32, filled from 0.
        out_places: int64, the place of each score in ``codes``.
    """
    width = codes.shape[1]
    room = out_scores.shape[0]
    count = 0
    for p in range(lists.shape[0]):
        for n in range(starts[lists[p]], starts[lists[p] + 1]):
            if count == room:
                return count
            code = codes[n]
            total = np.int32(0)
            for d in range(width):
                total = np.int32(total + np.int32(np.int16(code[d]) * np.int16(query[d])))
            out_scores[count] = total * scales[n] * query_scale
            out_places[count] = n
            count += 1
    return count


@njit(nogil=True, cache=True)
def nearest(vectors, centroids, out):
    """Assign each of (N, D) unit vectors to the centroid with the largest dot product."""
    for n in range(vectors.shape[0]):
        best = np.float32(-1e30)
        for c in range(centroids.shape[0]):
            total = np.float32(0.0)
            for d in range(vectors.shape[1]):
                total += vectors[n, d] * centroids[c, d]
            if total > best:
                best = total
                out[n] = c
