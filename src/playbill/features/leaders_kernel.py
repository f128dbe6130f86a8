"""The best of many scores, in one pass over them."""

from numba import njit


@njit(nogil=True, cache=True)
def leaders(scores, found):
    """Fill ``found`` (M,) with the rows of the best scores above 0, in no order.

    Of two equal scores the older row is better. What was found is a heap whose root is the worst
    of it: a row that is no better than the root costs one comparison.

    Args:
        scores: (N,) float64.
        found: (M,) int64, at least one.

    Returns:
        How many rows have such a score, M at most.
    """
    room = found.shape[0]
    count = 0
    for row in range(scores.shape[0]):
        score = scores[row]
        if not score > 0.0:
            continue
        if count < room:
            found[count] = row
            count += 1
            if count == room:
                for place in range(room // 2 - 1, -1, -1):
                    _sink(scores, found, place)
        elif score > scores[found[0]]:
            found[0] = row
            _sink(scores, found, 0)
    return count


@njit(nogil=True, cache=True)
def _sink(scores, heap, place):
    """Let the row at a place of a heap sink below those that are worse."""
    row = heap[place]
    while True:
        child = 2 * place + 1
        if child >= heap.shape[0]:
            break
        if child + 1 < heap.shape[0] and _worse(scores, heap[child + 1], heap[child]):
            child += 1
        if not _worse(scores, heap[child], row):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = row


@njit(nogil=True, cache=True)
def _worse(scores, one, other):
    """Return whether one row ranks behind another."""
    return scores[one] < scores[other] or (scores[one] == scores[other] and one > other)
