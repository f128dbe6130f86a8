"""From scores to the table of an evaluation: every figure with its interval, beside the floor."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS, Ranker
from playbill.training.bootstrap import LEVEL, Resamples, Spread
from playbill.training.dataset import Rows
from playbill.training.metrics import Ints, Mask, Scores, auc, calibration, group_aucs, log_losses
from playbill.training.one_snapshot import first_of_group, with_one_snapshot
from playbill.training.split import local_days

Floats = npt.NDArray[np.float32]

FLOOR = {
    "click": "item_click_rate_14d",
    "long_view": "item_long_view_rate_14d",
    "like": "user_like_rate_14d",
    "negative": "item_negative_rate_14d",
}
"""What needs no learning: a smoothed rate, read at the instant of the row."""
RESAMPLES = 200
_SCORED_ROWS = 16_384
_FEWEST_LIST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Scored:
    """N rows with what a ranker says of them.

    ``p`` (N, 4) as served; ``p_one_snapshot`` (N, 4) with each viewer-day read once.
    """

    rows: Rows
    days: Ints
    p: Floats
    p_one_snapshot: Floats


def score_rows(ranker: Ranker, rows: Rows, day_offset_h: int) -> Scored:
    """Return rows scored by the exported ranker."""
    days = local_days(rows.at_ms, day_offset_h)
    frozen = with_one_snapshot(rows.dense, viewer_days(rows.users, days), rows.at_ms)
    return Scored(rows, days, _score(ranker, rows.dense, rows), _score(ranker, frozen, rows))


def pooled(parts: list[Scored]) -> Scored:
    """Return several scored parts as one; they come from one data set."""
    rows = [part.rows for part in parts]
    columns = [np.concatenate([getattr(each, name) for each in rows]) for name in Rows.__slots__]
    return Scored(
        Rows(*columns),
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.p_one_snapshot for part in parts]),
    )


def viewer_days(users: Ints, days: Ints) -> Ints:
    """Return (N,) a number a viewer and day."""
    return users * (int(days.max(initial=0)) + 1) + days


def measure(scored: Scored, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Return the tables of a ranker and of the floor, with how sure they are.

    Keys: rows, viewers, metrics and floor (by task), intervals, note.
    """
    rows = scored.rows
    draws = Resamples.draw(rows.users, resamples, seed)
    table = _Table(rows.users, scored.days, rows.snapshots, draws)
    metrics, floor = {}, {}
    for k, task in enumerate(TASKS):
        labels = rows.labels[:, k]
        metrics[task] = table.task(labels, scored.p[:, k], scored.p_one_snapshot[:, k])
        score = rows.dense[:, FEATURE_NAMES.index(FLOOR[task])]
        firsts = score if task != "like" else _first_of_day(scored, score)
        floor[task] = {"score": FLOOR[task], **table.task(labels, score, firsts)}
    return {
        "rows": len(rows),
        "viewers": draws.counts.shape[1],
        "metrics": metrics,
        "floor": floor,
        "intervals": {
            "method": "percentiles of a bootstrap over viewers",
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
        },
        "note": _note(metrics, len(rows)),
    }


@dataclass(frozen=True, slots=True)
class _Table:
    users: Ints
    days: Ints
    lists: Ints
    draws: Resamples

    def task(self, labels: Mask, p: Scores, p_one_snapshot: Scores) -> dict[str, Any]:
        """Return the figures of one task; None where its rows are of one class only."""
        groups = viewer_days(self.users, self.days)
        by_day = group_aucs(labels, p, groups)
        by_snapshot = group_aucs(labels, p_one_snapshot, groups)
        by_list = group_aucs(labels, p, self.lists)
        losses = log_losses(labels, p)
        ones = np.ones(len(labels))
        found: dict[str, Any] = {"positives": int(labels.sum())}
        found |= _figure("auc", auc(labels, p), self.draws.auc(labels, p))
        found |= _figure("gauc", by_day.mean(), self.draws.groups(by_day))
        found |= _figure("gauc_one_snapshot", by_snapshot.mean(), self.draws.groups(by_snapshot))
        enough = int(by_list.sizes.sum()) >= _FEWEST_LIST_ROWS
        found |= _figure(
            "gauc_list",
            by_list.mean() if enough else None,
            self.draws.groups(by_list) if enough else Spread(None, None, None),
        )
        found["list_rows"] = int(by_list.sizes.sum())
        found |= _figure("log_loss", float(losses.mean()), self.draws.ratio(losses, ones))
        spread = self.draws.ratio(p.astype(np.float64), labels.astype(np.float64))
        found |= _figure("calibration", calibration(labels, p), spread)
        return found


def _figure(name: str, value: float | None, spread: Spread) -> dict[str, Any]:
    """Return a figure, its interval and its standard error, under names that say so."""
    return {
        name: _rounded(value),
        f"{name}_interval": None
        if value is None or spread.low is None
        else [_rounded(spread.low), _rounded(spread.high)],
        f"{name}_error": None if value is None else _rounded(spread.error),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _score(ranker: Ranker, dense: Floats, rows: Rows) -> Floats:
    parts = [
        ranker.score(
            dense[first : first + _SCORED_ROWS], rows.categories[first : first + _SCORED_ROWS]
        )
        for first in range(0, len(rows), _SCORED_ROWS)
    ]
    return np.concatenate(parts)


def _first_of_day(scored: Scored, score: Floats) -> Floats:
    groups = viewer_days(scored.rows.users, scored.days)
    return score[first_of_group(groups, scored.rows.at_ms)]


def _note(metrics: dict[str, Any], rows: int) -> str:
    """Return one sentence on what the figures cannot tell apart."""
    errors = [
        f"{task} {found['auc_error']:.4f}"
        for task, found in metrics.items()
        if found["auc_error"] is not None
    ]
    if not errors:
        return f"{rows:,} rows of one class: no AUC can be given"
    return (
        f"standard errors of the AUC over {rows:,} rows: {', '.join(errors)}; "
        "two models closer than about two of them are not told apart"
    )
