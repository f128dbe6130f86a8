"""Scorers: the light one orders everything, the heavy one re-orders as much as time allows."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from playbill.core import Clock, DependencyUnavailable
from playbill.ranking.deadline import Breaker, CostMeter, Deadline
from playbill.ranking.stages import Candidates, Floats, RankingRequest
from playbill.retrieval import ItemView, VectorTable

TASKS = ("click", "long_view", "like", "negative")
"""What the heavy scorer predicts, in the order of its columns."""

_FAILURES, _OPEN_S = 3, 1.0


class RankingModel(Protocol):
    """A bundle, as ranking uses it. Every method raises ``DependencyUnavailable`` on failure."""

    @property
    def digest(self) -> str:
        """Return the bundle's digest."""
        ...

    @property
    def value_weights(self) -> Floats:
        """Return (4,) utilities of ``TASKS``."""
        ...

    @property
    def table(self) -> VectorTable:
        """Return item vectors and their index."""
        ...

    def user_vector(self, user: npt.NDArray[np.void]) -> Floats | None:
        """Return the (D,) vector of a (1,) ``USER_RECORD``."""
        ...

    def light(self, features: Floats) -> Floats:
        """Return (C,) approximate utility of (C, F) features."""
        ...

    def heavy(self, features: Floats, categories: npt.NDArray[np.int64]) -> Floats:
        """Return (C, 4) calibrated probabilities of ``TASKS``.

        ``categories`` (C, 3): surface code, region code, first topic + 1.
        """
        ...


def expected_utility(p_action: Floats, utility_per_action: Floats) -> Floats:
    """Return the utility a viewer is expected to get from each of C candidates.

    Args:
        p_action: (C, A) calibrated probabilities in [0, 1], never logits.
        utility_per_action: (A,) utility of one action; negative for harm.

    Returns:
        (C,) utility, comparable within one request only; -inf where a probability is not finite.
    """
    utility = p_action @ utility_per_action
    return np.where(np.isfinite(utility), utility, np.float32(-np.inf))


@dataclass(frozen=True, slots=True)
class Heavy:
    """What became of the heavy scorer: how many it ranked, and why not all."""

    ranked: int
    reason: str | None


class HeavyScorer:
    """Score the best candidates of the light scorer, as many as the budget holds.

    A model that fails, or says no finite number at all, is left alone for a second after three
    such failures in a row. A slow one gets fewer rows; below a page's worth it gets none.
    """

    def __init__(self, clock: Clock, rows: int, budget_ms: float) -> None:
        self._clock = clock
        self._rows = rows
        self._budget_ms = budget_ms
        self._cost = CostMeter()
        self._breaker = Breaker(clock, _FAILURES, _OPEN_S)
        self._slow = Breaker(clock, 1, _OPEN_S)

    def score(
        self,
        model: RankingModel,
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        deadline: Deadline,
        values: Floats | None = None,
    ) -> Heavy:
        """Set the utility of the first candidates; the rest keep the light order below them.

        Args:
            candidates: best first by the light scorer; ``utility`` is filled here.
            values: (4,) utilities of ``TASKS``, the model's own when None.
        """
        features = candidates.features
        if features is None:
            return Heavy(0, "features_missing")
        if not self._breaker.allows():
            return Heavy(0, "heavy_scorer_resting")
        budget_ms = min(self._budget_ms, deadline.left_ms())
        count = self._cost.rows_within(budget_ms, min(self._rows, len(candidates.rows)))
        if count < min(request.size, len(candidates.rows)):
            if budget_ms <= 0 or not self._slow.allows():
                return Heavy(0, "heavy_scorer_slow")
            self._slow.failed()
            count = 1
        started_s = self._clock.elapsed_s()
        try:
            categories = _categories(request, candidates.rows[:count], view)
            weights = model.value_weights if values is None else values
            found = expected_utility(model.heavy(features[:count], categories), weights)
        except DependencyUnavailable:
            found = np.full(count, -np.inf, np.float32)
        if not np.isfinite(found).any():
            self._breaker.failed()
            return Heavy(0, "heavy_scorer_failed")
        self._cost.observe(count, (self._clock.elapsed_s() - started_s) * 1000.0)
        self._breaker.succeeded()
        if count < min(request.size, len(candidates.rows)):
            return Heavy(0, "heavy_scorer_slow")
        utility = np.full(len(candidates.rows), -np.inf, np.float32)
        utility[:count] = found
        candidates.utility = utility
        partial = count < min(self._rows, len(candidates.rows))
        return Heavy(count, "heavy_scorer_partial" if partial else None)


def _categories(
    request: RankingRequest, rows: npt.NDArray[np.int64], view: ItemView
) -> npt.NDArray[np.int64]:
    """Return (C, 3) surface, region and first topic + 1, 0 for none."""
    categories = np.empty((len(rows), 3), np.int64)
    categories[:, 0] = request.surface
    categories[:, 1] = request.query.region
    topics = view.tables.items["topics"][rows, 0].astype(np.int64)
    categories[:, 2] = np.where(topics == 0xFFFF, 0, topics + 1)
    return categories
