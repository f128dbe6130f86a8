"""Loops that do nothing but ask memory."""

from numba import njit


@njit(nogil=True, cache=True)
def add_up(memory):
    """Return the sum of (N,) numbers, read in order."""
    total = 0
    for n in range(memory.shape[0]):
        total += memory[n]
    return total


@njit(nogil=True, cache=True)
def touch(memory, places):
    """Return the sum of the numbers at (P,) places, none of which waits for another."""
    total = 0
    for p in range(places.shape[0]):
        total += memory[places[p]]
    return total
