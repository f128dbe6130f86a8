"""A ranker asked about rows of a data set, with what it would have read when they were shown."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURE_NAMES
from playbill.models import RANKER_INPUTS, Interests, Ranker
from playbill.training.dataset import Histories, Rows

Floats = npt.NDArray[np.float32]
Scorer = Callable[[Rows], Floats]
"""Rows to (N, 4) scores by ``TASKS``, never negative."""

_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class RowScorer:
    """An exported ranker, and whose histories it reads; None where it reads features alone."""

    ranker: Ranker
    interests: Interests | None
    histories: Histories

    @classmethod
    def load(cls, folder: Path, histories: Histories, threads: int) -> "RowScorer":
        """Return the ranker of a draft or a sealed bundle.

        Raises:
            InvalidInput: a file is missing, damaged, or made for other inputs.
        """
        ranker = Ranker.load(folder / "ranker.onnx", RANKER_INPUTS, threads=threads)
        return cls(ranker, Interests.load(folder), histories)

    @classmethod
    def of(
        cls, graph: bytes, interests: Interests | None, histories: Histories, threads: int
    ) -> "RowScorer":
        """Return the ranker of a graph's bytes."""
        inputs = len(FEATURE_NAMES) if interests is None else RANKER_INPUTS
        return cls(Ranker.load(graph, inputs, threads=threads), interests, histories)

    def __call__(self, rows: Rows) -> Floats:
        """Return (N, 4) probabilities by ``TASKS``.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        parts = [
            self._scored(rows.only(np.arange(first, min(first + _AT_ONCE, len(rows)))))
            for first in range(0, max(len(rows), 1), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def _scored(self, rows: Rows) -> Floats:
        dense = rows.dense
        if self.interests is not None:
            videos = self.histories.items[rows.snapshots]
            actions = self.histories.actions[rows.snapshots]
            crossed = self.interests.crossed(rows.items, videos, actions)
            dense = np.concatenate([dense, crossed], axis=1)
        return self.ranker.score(dense, rows.categories)
