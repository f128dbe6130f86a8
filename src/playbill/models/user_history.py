"""What a viewer did lately, as the user tower wants it: the same code trains and serves."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from playbill.features.layout import (
    CLICKED,
    DISLIKED,
    ENGAGED,
    HISTORY,
    LIKED,
    LONG,
    WATCHED,
)
from playbill.models.tasks import WIDTH

Floats = npt.NDArray[np.float32]
Lookup = Callable[[npt.NDArray[np.int64]], Floats]
"""Returns (n, 64) vectors of (n,) item rows; a row of zeros where there is none."""

_WORTH = {WATCHED: 0.1, CLICKED: 0.4, LONG: 1.0, LIKED: 1.0, ENGAGED: 0.5}
RECENCY = 0.95
"""A video weighs this much less than the one acted upon after it."""


def _by_action() -> Floats:
    worth = np.zeros(256, np.float32)
    for action in range(256):
        if not action & DISLIKED:
            worth[action] = sum(value for bit, value in _WORTH.items() if action & bit)
    return worth


_WORTH_BY_ACTION = _by_action()
_BY_RANK = (RECENCY ** np.arange(HISTORY)).astype(np.float32)
HISTORY_TABLES = _WORTH_BY_ACTION, _BY_RANK
"""(256,) what an action is worth, by its bits; (32,) how much of it counts, by place."""


def history_weights(actions: npt.NDArray[np.uint8]) -> Floats:
    """Return (B, 32) weights, 0 for an empty place and for what the viewer rejected.

    Args:
        actions: (B, 32) ``history_action`` bits, newest first, 0 where there is no video.
    """
    return _WORTH_BY_ACTION[actions] * _BY_RANK


def history_inputs(user: npt.NDArray[np.void], lookup: Lookup) -> tuple[Floats, Floats]:
    """Return (1, 32, 64) vectors and (1, 32) weights of one viewer's recent videos.

    Args:
        user: (1,) ``USER_RECORD``.
        lookup: where the vectors are; a video without one weighs nothing.
    """
    count = int(user["history_count"][0])
    vectors = np.zeros((1, HISTORY, WIDTH), np.float32)
    weights = np.zeros((1, HISTORY), np.float32)
    if count:
        vectors[0, :count] = lookup(user["history"][0, :count].astype(np.int64))
        weights[0, :count] = history_weights(user["history_action"])[0, :count]
        weights[0, :count] *= vectors[0, :count].any(axis=1)
    return vectors, weights
