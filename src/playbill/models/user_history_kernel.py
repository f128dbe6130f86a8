"""What a viewer took to lately, picked from the viewer's row in one pass."""

import numpy as np
from numba import njit

from playbill.features.layout import CLICKED, DISLIKED, LIKED, LONG, TOOK_TO

_HOW = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**_HOW)
def fill_taken(users, rows, kinds):
    """Fill rows and kinds of the videos that a viewer took to, oldest first; return how many.

    Args:
        users: (1,) ``USER_RECORD``.
        rows: (32,) int64.
        kinds: (32,) int64, as ``kinds_of`` says them.
    """
    user = users[0]
    count = 0
    for i in range(user.history_count - 1, -1, -1):
        action = user.history_action[i]
        if not action & TOOK_TO or action & DISLIKED:
            continue
        rows[count] = user.history[i]
        kinds[count] = (
            (1 if action & CLICKED else 0)
            + (2 if action & LONG else 0)
            + (4 if action & LIKED else 0)
        )
        count += 1
    return count


@njit(**_HOW)
def keep_known(vectors, kinds):
    """Move the vectors that are not all zeros to the front, with their kinds; return how many.

    Args:
        vectors: (n, W) float32.
        kinds: (n,) int64.
    """
    count = 0
    for n in range(vectors.shape[0]):
        known = False
        for w in range(vectors.shape[1]):
            known |= vectors[n, w] != np.float32(0.0)
        if known:
            if count < n:
                vectors[count] = vectors[n]
                kinds[count] = kinds[n]
            count += 1
    return count
