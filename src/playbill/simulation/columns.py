"""The array types that the world is made of, and its one source of chance."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from playbill.core import key64

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


def stream(seed: int, name: str, *parts: int) -> np.random.Generator:
    """Return the generator that belongs to a seed, a purpose and, within it, numbered parts.

    Streams of different names never share draws, so that adding one leaves the others alone.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, key64(name), *parts]))


def sigmoid(logit: Floats) -> Floats:
    """Return the probability of a logit, elementwise, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * logit))
