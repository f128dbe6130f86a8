"""The figures of scores against labels, each with how sure it is."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from playbill.training.bootstrap import Resamples, Spread, spread_of
from playbill.training.metrics import Ints, Mask, Scores, auc, calibration, group_aucs, log_losses

_FEWEST_LIST_ROWS = 100
NOT_DRAWN = Spread(None, None, None)
_ORDER = ("auc", "gauc", "gauc_one_snapshot")
_OF_PROBABILITIES = ("log_loss", "calibration")


@dataclass(frozen=True, slots=True)
class Figures:
    """N rows to be scored against: viewer-days and lists are what scores are compared within.

    ``viewer_days`` (N,), ``lists`` (N,); ``draws`` over the viewers of these rows.
    """

    viewer_days: Ints
    lists: Ints
    draws: Resamples

    def of(
        self, labels: Mask, p: Scores, p_one_snapshot: Scores, *, in_order_only: bool = False
    ) -> dict[str, Any]:
        """Return the figures of one task; None where its rows are of one class only.

        Args:
            labels: (N,) bool.
            p: (N,) as served.
            p_one_snapshot: (N,) with each viewer-day read once.
            in_order_only: p is no probability: it has an order and nothing else.
        """
        found: dict[str, Any] = {"rows": len(labels), "positives": int(labels.sum())}
        if not len(labels):
            return found | _nothing(in_order_only)
        by_day = group_aucs(labels, p, self.viewer_days)
        by_snapshot = group_aucs(labels, p_one_snapshot, self.viewer_days)
        by_list = group_aucs(labels, p, self.lists)
        found |= figure("auc", auc(labels, p), spread_of(self.draws.aucs(labels, p)))
        found |= figure("gauc", by_day.mean(), self.draws.groups(by_day))
        found |= figure("gauc_one_snapshot", by_snapshot.mean(), self.draws.groups(by_snapshot))
        enough = int(by_list.sizes.sum()) >= _FEWEST_LIST_ROWS
        spread = self.draws.groups(by_list) if enough else NOT_DRAWN
        found |= figure("gauc_list", by_list.mean() if enough else None, spread)
        found["list_rows"] = int(by_list.sizes.sum())
        return found if in_order_only else found | self._of_probabilities(labels, p)

    def _of_probabilities(self, labels: Mask, p: Scores) -> dict[str, Any]:
        losses = log_losses(labels, p)
        loss = float(losses.mean())
        found = figure("log_loss", loss, self.draws.ratio(losses, np.ones(len(labels))))
        surprise = base_entropy(float(labels.mean()))
        found["normalised_entropy"] = None if not surprise else rounded(loss / surprise)
        spread = self.draws.ratio(p.astype(np.float64), labels.astype(np.float64))
        return found | figure("calibration", calibration(labels, p), spread)

    def gains(
        self, labels: Mask, ours: tuple[Scores, Scores], theirs: tuple[Scores, Scores]
    ) -> dict[str, Any]:
        """Return by how much one ranker is above another, with paired intervals.

        The same viewers are drawn for both. Keys: auc, gauc, gauc_one_snapshot.

        Args:
            labels: (N,) bool.
            ours: scores as served, and with each viewer-day read once.
            theirs: the same of the other.
        """
        if not len(labels):
            return {k: v for name in _ORDER for k, v in figure(name, None, NOT_DRAWN).items()}
        found = _difference(
            "auc",
            [auc(labels, each[0]) for each in (ours, theirs)],
            [self.draws.aucs(labels, each[0]) for each in (ours, theirs)],
        )
        for name, part in (("gauc", 0), ("gauc_one_snapshot", 1)):
            by_day = [group_aucs(labels, each[part], self.viewer_days) for each in (ours, theirs)]
            means = [each.mean() for each in by_day]
            found |= _difference(name, means, [self.draws.group_means(each) for each in by_day])
        return found


def _nothing(in_order_only: bool) -> dict[str, Any]:
    """Return the figures of no rows."""
    names = (*_ORDER, "gauc_list", *(() if in_order_only else _OF_PROBABILITIES))
    found = {k: v for name in names for k, v in figure(name, None, NOT_DRAWN).items()}
    found["list_rows"] = 0
    return found if in_order_only else found | {"normalised_entropy": None}


def _difference(name: str, values: list[float | None], draws: list[Any]) -> dict[str, Any]:
    """Return the first less the second."""
    ours, theirs = values
    gain = None if ours is None or theirs is None else ours - theirs
    return figure(name, gain, spread_of(draws[0] - draws[1]))


def base_entropy(rate: float) -> float:
    """Return the log loss of a constant that says the rate, in nats."""
    return -sum(p * math.log(p) for p in (rate, 1.0 - rate) if p > 0.0)


def figure(name: str, value: float | None, spread: Spread) -> dict[str, Any]:
    """Return a figure, its interval and its standard error, under names that say so."""
    return {
        name: rounded(value),
        f"{name}_interval": None
        if value is None or spread.low is None
        else [rounded(spread.low), rounded(spread.high)],
        f"{name}_error": None if value is None else rounded(spread.error),
    }


def rounded(value: float | None) -> float | None:
    """Return a figure with six decimals, None for none."""
    return None if value is None else round(value, 6)
