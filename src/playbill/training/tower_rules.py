"""What holds for towers however many workers train them: weights, rates, and what is told apart."""

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from playbill.core import InvalidInput
from playbill.features.layout import LONG
from playbill.models import kinds_of
from playbill.training.sequences import Sequences

Numbers = TypeVar("Numbers", Tensor, npt.NDArray[np.float32])

RESIDUAL_DROPOUT = 0.1
"""How often a step does without what is a video's own, so that content works alone."""
WARM_UP_STEPS = 100
LONG_VIEW_WEIGHS = 2.0
"""A video that was viewed long, beside one that was clicked or liked alone."""
_LONG_VIEW = int(kinds_of(np.array([LONG], np.uint8))[0])


def require_sequences(sequences: Sequences) -> None:
    """Return if there is something to learn from.

    Raises:
        InvalidInput: there is not.
    """
    if not len(sequences):
        raise InvalidInput(
            "no viewer took to any video in the rows that train; retrieval has nothing to learn",
            hint="check that clicks and watches reach the log and join: see late and unmatched",
        )


def loss_weights(kinds: Any) -> Any:
    """Return what foretelling each video weighs, by how the viewer took to it.

    Args:
        kinds: a tensor or an array; what is returned is one, too.
    """
    return 1.0 + (LONG_VIEW_WEIGHS - 1.0) * ((kinds & _LONG_VIEW) > 0)


def rise_and_fall(step: int, share: float, warm_up: int = WARM_UP_STEPS) -> float:
    """Return the factor on a learning rate: up over the first steps, then down a cosine.

    Args:
        step: from 0.
        share: of the training that is done, 0 to 1.
        warm_up: steps until the rate is whole.
    """
    return max(min((step + 1) / max(warm_up, 1), 0.5 + 0.5 * math.cos(math.pi * share)), 1e-3)


def how_often_met(frequency: Numbers, targets: int, drawn: int, videos: int) -> Numbers:
    """Return how likely each video is among those that a step tells apart.

    Args:
        frequency: (K,) share of each among what viewers took.
        targets: videos that the step foretells.
        drawn: more, drawn evenly.
        videos: there are in all.
    """
    return 1.0 - (1.0 - frequency) ** targets * (1.0 - 1.0 / videos) ** drawn
