"""The light scorer: a straight line through what the ranker thinks a video is worth."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from playbill.models import LightScorer
from playbill.training.determinism import repeatable

Floats = npt.NDArray[np.float32]

RIDGE = 1e-3
"""Pull towards zero, as a share of the rows, on standardised features."""
_SMALLEST_DEVIATION = 1e-6


def distil_light(dense: Floats, utility: Floats, threads: int) -> LightScorer:
    """Return the linear scorer of raw features that comes closest to (N,) utilities.

    Args:
        dense: (N, F) raw features.
        utility: (N,) expected utility by the ranker.
        threads: threads of the linear algebra.

    Source: ridge regression by its normal equations, in double precision.
    """
    with repeatable(0, threads):
        x = torch.from_numpy(dense).double()
        mean, deviation = x.mean(dim=0), x.std(dim=0, correction=0)
        scale = torch.where(deviation > _SMALLEST_DEVIATION, 1.0 / deviation, 0.0)
        x = (x - mean) * scale
        y = torch.from_numpy(utility).double()
        centre = y.mean()
        pull = RIDGE * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
        slopes = torch.linalg.solve(x.T @ x + pull, x.T @ (y - centre)) * scale
        bias = centre - (slopes * mean).sum()
    return LightScorer(slopes.numpy().astype(np.float32), np.float32(bias.item()))


def describe_light(light: LightScorer, dense: Floats, utility: Floats) -> dict[str, Any]:
    """Return how closely the scorer follows (N,) utilities of rows it was not made on."""
    score = light.score(dense)
    ranks = [np.argsort(np.argsort(values, kind="stable")) for values in (score, utility)]
    return {
        "rows": len(score),
        "correlation": _correlation(score.astype(np.float64), utility.astype(np.float64)),
        "rank_correlation": _correlation(*(rank.astype(np.float64) for rank in ranks)),
    }


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float | None:
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return round(float(a @ b) / length, 4) if length > 0.0 else None
