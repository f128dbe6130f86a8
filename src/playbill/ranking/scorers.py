"""Scorers: the light one orders everything, the heavy one re-orders as much as time allows."""

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import Clock, DependencyUnavailable
from playbill.ranking.deadline import Breaker, CostMeter, Deadline
from playbill.ranking.order import categories_of
from playbill.ranking.order_kernel import fill_utility
from playbill.ranking.stages import Candidates, Floats, RankingRequest
from playbill.retrieval import ItemView, VectorTable

Ints = npt.NDArray[np.int64]
Record = npt.NDArray[np.void]

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

    def heavy(
        self, features: Floats, places: Ints, categories: Ints, rows: Ints, user: Record
    ) -> Floats:
        """Return (C, 4) calibrated probabilities of ``TASKS``, for candidates of one request.

        What is the viewer's or the request's may be read from the first candidate alone.

        Args:
            features: (N, F) raw features.
            places: (C,) where each candidate stands among them.
            categories: (C, 3) surface code, region code, first topic + 1.
            rows: (C,) of the candidates.
            user: (1,) ``USER_RECORD``.
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
    utility = np.empty(len(p_action), np.float32)
    fill_utility(p_action, utility_per_action, utility)
    return utility


class Heavy(msgspec.Struct, frozen=True):
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
        if candidates.features is None or candidates.places is None:
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
        utility = np.empty(len(candidates.rows), np.float32)
        try:
            rows, places = candidates.rows[:count], candidates.places[:count]
            codes = categories_of(request, rows, view)
            p_action = model.heavy(candidates.features, places, codes, rows, request.query.user)
            finite = fill_utility(
                p_action, model.value_weights if values is None else values, utility
            )
        except DependencyUnavailable:
            finite = 0
        if not finite:
            self._breaker.failed()
            return Heavy(0, "heavy_scorer_failed")
        self._cost.observe(count, (self._clock.elapsed_s() - started_s) * 1000.0)
        self._breaker.succeeded()
        if count < min(request.size, len(candidates.rows)):
            return Heavy(0, "heavy_scorer_slow")
        candidates.utility = utility
        partial = count < min(self._rows, len(candidates.rows))
        return Heavy(count, "heavy_scorer_partial" if partial else None)
