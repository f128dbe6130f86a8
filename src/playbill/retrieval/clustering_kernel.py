"""Sums for k-means."""

from numba import njit


@njit(nogil=True, cache=True)
def add_up(vectors, owner, sums):
    """Add each of (N, D) vectors to the row of (K, D) ``sums`` that (N,) ``owner`` names."""
    for n in range(vectors.shape[0]):
        for d in range(vectors.shape[1]):
            sums[owner[n], d] += vectors[n, d]
