"""How often the towers find what a viewer then took."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from playbill.training.tower_data import Positives
from playbill.training.tower_training import TrainedTowers

Ints = npt.NDArray[np.int64]

CUTS = (20, 100, 300)
_AT_ONCE = 1_024
_MOST = 20_000
_VIEWERS = 200


def measure_towers(towers: TrainedTowers, later: Positives, earlier: Ints) -> dict[str, Any]:
    """Return the share of later positives among a viewer's nearest videos, beside popularity's.

    All videos are ranked, none sampled; a video that ties is taken to rank after the target.

    Args:
        towers: what is judged.
        later: positives the towers have not seen; the first 20,000 are looked at.
        earlier: (P,) rows of the videos taken in training: popularity.
    """
    size = len(towers.item_vectors)
    targets = later.items[:_MOST]
    if not len(targets):
        return {"positives": 0, "note": "no positive after training; recall is not known"}
    vectors = torch.from_numpy(towers.item_vectors)
    above = []
    with torch.no_grad():
        for first in range(0, len(targets), _AT_ONCE):
            part = slice(first, min(first + _AT_ONCE, len(targets)))
            viewers = _viewers(towers, vectors, later, part)
            scores = viewers @ vectors.T
            own = scores.gather(1, torch.from_numpy(targets[part])[:, None])
            above.append((scores > own).sum(dim=1).numpy())
    counts = np.sort(np.bincount(earlier, minlength=size))
    mine = np.bincount(earlier, minlength=size)[targets]
    by_count = size - np.searchsorted(counts, mine, side="right")
    return {
        "positives": len(targets),
        "videos": size,
        "recall": _recall(np.concatenate(above)),
        "recall_of_popularity": _recall(by_count),
    }


def some_viewers(towers: TrainedTowers, positives: Positives) -> npt.NDArray[np.float32]:
    """Return (Q, 64) vectors of at most 200 viewers, spread over the positives."""
    step = max(1, len(positives.items) // _VIEWERS)
    part = slice(0, step * _VIEWERS, step)
    with torch.no_grad():
        found = _viewers(towers, torch.from_numpy(towers.item_vectors), positives, part)
    vectors: npt.NDArray[np.float32] = found.numpy()
    return vectors


def _viewers(
    towers: TrainedTowers, vectors: torch.Tensor, positives: Positives, part: slice
) -> torch.Tensor:
    """Return (n, 64) vectors of the viewers of some positives."""
    recent = vectors[torch.from_numpy(positives.history[part])]
    found: torch.Tensor = towers.user(recent, torch.from_numpy(positives.kinds[part]))
    return found[torch.arange(len(found)), torch.from_numpy(positives.counts[part])]


def _recall(above: Ints) -> dict[str, float]:
    """Return the share of targets with fewer than k videos above them, by k."""
    return {str(cut): round(float((above < cut).mean()), 4) for cut in CUTS}
