"""What each number passes before a ranker's first layer: a line with bends at its own quantiles.

Source: docs/decisions/0040-numbers-pass-curves-before-the-first-layer.md
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

STRETCHES = 8
"""Each number's range is cut into so many, of as many rows each."""
NARROWEST = 0.01
"""Deviations that a stretch is wide at least: where many rows share a value there is a step."""
NAMES = ("curve_starts", "curve_rates", "curve_bends")
"""Constants of a graph, (F, K) each: where stretches begin, one over their width, what is added
from one end of a stretch to the other."""


def stretches_of(scaled: Floats, count: int = STRETCHES) -> tuple[Floats, Floats]:
    """Return (F, K) where stretches begin and one over their width.

    Args:
        scaled: (N, F) standardised numbers, N > 0.
        count: K, of each column.
    """
    ends = np.quantile(scaled, np.linspace(0.0, 1.0, count + 1), axis=0).T.astype(np.float32)
    widths = np.maximum(np.diff(ends, axis=1), np.float32(NARROWEST))
    return np.ascontiguousarray(ends[:, :-1]), (1.0 / widths).astype(np.float32)


def curves_of(constants: Mapping[str, npt.NDArray[Any]]) -> tuple[Floats, Floats, Floats]:
    """Return starts, rates and bends (F, K) of a graph; without curves there are no stretches."""
    if NAMES[0] not in constants:
        none = np.empty((len(constants["mean"]), 0), np.float32)
        return none, none, none
    starts, rates, bends = (constants[name] for name in NAMES)
    return starts, rates, bends


def read_numbers(constants: Mapping[str, npt.NDArray[Any]], dense: Floats) -> Floats:
    """Return what a graph's first layer is asked for (..., F) raw numbers, in NumPy."""
    x = (dense - constants["mean"]) * constants["scale"]
    x = np.where(np.abs(x) <= constants["finite"], x, constants["zero"])
    x = np.clip(x, constants["least"], constants["most"])
    starts, rates, bends = curves_of(constants)
    along = np.clip((x[..., None] - starts) * rates, 0.0, 1.0)
    found: Floats = x + (along * bends).sum(axis=-1, dtype=np.float32)
    return found
