"""What the networks predict, in the order of their outputs."""

import numpy as np
import numpy.typing as npt

from playbill.contracts import ValueSettings

TASKS = ("click", "long_view", "like", "negative")
"""The heads of the ranker."""

CATEGORIES = ("surface", "region", "topic")
"""Columns of the ranker's ``categories``: surface code, region code, first topic's number + 1."""

WIDTH = 64
"""Dimensions of a viewer's and a video's vector."""


def value_weights(settings: ValueSettings) -> dict[str, float]:
    """Return the utility of one action, by task."""
    return {task: float(getattr(settings, task)) for task in TASKS}


def value_vector(settings: ValueSettings) -> npt.NDArray[np.float32]:
    """Return (4,) the utility of one action, in the order of ``TASKS``."""
    return np.array(list(value_weights(settings).values()), np.float32)
