"""What a viewer took to lately, as the user tower reads it: the same code trains and serves."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from playbill.features.layout import CLICKED, DISLIKED, HISTORY, LIKED, LONG, TOOK_TO
from playbill.models.tasks import WIDTH
from playbill.models.user_history_kernel import fill_taken, keep_known

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Actions = npt.NDArray[np.uint8]
Lookup = Callable[[Ints], Floats]
"""Returns (n, 64) vectors of (n,) item rows; a row of zeros where there is none."""

KINDS = 8
"""Ways to take to a video: clicked, viewed long and liked, each or not."""


def kinds_of(actions: Actions) -> Ints:
    """Return (...) the kind, 0 to 7, of (...) ``history_action`` bits; 0 is none of the three."""
    bits = ((CLICKED, 1), (LONG, 2), (LIKED, 4))
    found = np.zeros(actions.shape, np.int64)
    for bit, kind in bits:
        found += np.where(actions & bit, kind, 0)
    return found


def took_to(actions: Actions) -> npt.NDArray[np.bool_]:
    """Return (...) whether (...) ``history_action`` bits say that the viewer took to the video."""
    taken: npt.NDArray[np.bool_] = ((actions & TOOK_TO) != 0) & ((actions & DISLIKED) == 0)
    return taken


def in_order(items: npt.NDArray[np.uint32], actions: Actions) -> tuple[Ints, Ints, Ints]:
    """Return what viewers took to, oldest first: (B, 32) rows, (B, 32) kinds, (B,) how many.

    Args:
        items: (B, 32) rows, newest first.
        actions: (B, 32) ``history_action`` bits, 0 where there is no video.
    """
    oldest, deeds = items[:, ::-1], actions[:, ::-1]
    taken = took_to(deeds)
    order = np.argsort(~taken, axis=1, kind="stable")
    there = np.take_along_axis(taken, order, axis=1)
    rows = np.take_along_axis(oldest, order, axis=1).astype(np.int64)
    kinds = kinds_of(np.take_along_axis(deeds, order, axis=1))
    return np.where(there, rows, 0), np.where(there, kinds, 0), there.sum(axis=1)


def history_inputs(user: npt.NDArray[np.void], lookup: Lookup) -> tuple[Floats, Ints]:
    """Return (n, 64) vectors and (n,) kinds of what one viewer took to, oldest first.

    Args:
        user: (1,) ``USER_RECORD``.
        lookup: where the vectors are, in an array of its own; a video without one is left out.
    """
    rows, kinds = np.empty(HISTORY, np.int64), np.empty(HISTORY, np.int64)
    count = fill_taken(user, rows, kinds)
    if not count:
        return np.empty((0, WIDTH), np.float32), kinds[:0]
    vectors = lookup(rows[:count])
    count = keep_known(vectors, kinds)
    return vectors[:count], kinds[:count]
