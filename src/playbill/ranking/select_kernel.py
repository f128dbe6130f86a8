"""Choosing a slate under caps."""

import numpy as np
from numba import njit

from playbill.features import NO_TOPIC


@njit(nogil=True, cache=True)
def select(order, rows, items, author_cap, topic_cap, taken, picks):
    """Fill ``picks`` (K,) with candidates in ``order`` (C,) under caps; return how many.

    Caps are lifted when they leave places empty: first the topics', then the authors'.

    Args:
        order: (C,) candidates, best first.
        rows: (C,) row of each candidate.
        items: (I,) records; a first topic of ``NO_TOPIC`` is none that could be shared.
        author_cap: candidates of one author.
        topic_cap: candidates of one topic.
        taken: (C,) bool, all False; True for what was picked.
        picks: (K,) int64.
    """
    authors = np.empty(picks.shape[0], np.uint32)
    topics = np.empty(picks.shape[0], np.uint16)
    count = 0
    for effort in range(3):
        for place in range(order.shape[0]):
            if count == picks.shape[0]:
                return count
            c = order[place]
            if taken[c]:
                continue
            author, topic = items[rows[c]].author, items[rows[c]].topics[0]
            same_author = 0
            same_topic = 0
            for k in range(count):
                same_author += authors[k] == author
                same_topic += topics[k] == topic and topic != NO_TOPIC
            if effort < 2 and same_author >= author_cap:
                continue
            if effort < 1 and same_topic >= topic_cap:
                continue
            taken[c] = True
            picks[count], authors[count], topics[count] = c, author, topic
            count += 1
    return count
