"""Choosing a slate, and asking the seen filter about many videos at once."""

from numba import njit

from playbill.features import NO_TOPIC
from playbill.features.user_kernel import seen_before


@njit(nogil=True, cache=True)
def seen_mask(user, rows, out):
    """Set ``out`` (C,) True where the viewer's filter remembers a row."""
    for c in range(rows.shape[0]):
        out[c] = seen_before(user, rows[c])


@njit(nogil=True, cache=True)
def select(order, authors, topics, author_cap, topic_cap, taken, picks):
    """Fill ``picks`` (K,) with candidates in ``order`` (C,) under caps; return how many.

    Caps are lifted when they leave places empty: first the topics', then the authors'.

    Args:
        order: (C,) candidates, best first.
        authors: (C,) author of each candidate.
        topics: (C,) first topic of each candidate; ``NO_TOPIC`` is none that could be shared.
        author_cap: candidates of one author.
        topic_cap: candidates of one topic.
        taken: (C,) bool scratch, all False.
        picks: (K,) int64.
    """
    count = 0
    for effort in range(3):
        for place in range(order.shape[0]):
            if count == picks.shape[0]:
                return count
            c = order[place]
            if taken[c]:
                continue
            same_author = 0
            same_topic = 0
            for k in range(count):
                same_author += authors[picks[k]] == authors[c]
                same_topic += topics[picks[k]] == topics[c] and topics[c] != NO_TOPIC
            if effort < 2 and same_author >= author_cap:
                continue
            if effort < 1 and same_topic >= topic_cap:
                continue
            taken[c] = True
            picks[count] = c
            count += 1
    return count
