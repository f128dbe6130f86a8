"""From scores to the report of an evaluation: a ranker beside its baselines, and in slices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training.baselines import ITEM_RATES
from playbill.training.bootstrap import LEVEL, Resamples
from playbill.training.dataset import Rows
from playbill.training.figures import Figures
from playbill.training.metrics import Ints, Mask, Scores
from playbill.training.one_snapshot import first_of_group, with_one_snapshot
from playbill.training.row_scorer import Scorer
from playbill.training.slices import measure_slices
from playbill.training.split import local_days

Floats = npt.NDArray[np.float32]

FLOOR = {**ITEM_RATES, "like": "user_like_rate_14d"}
"""What needs no learning: a smoothed rate, read at the instant of the row."""
IN_ORDER_ONLY = ("popularity",)
"""Baselines whose scores are no probabilities."""
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """What one ranker says of N rows.

    ``p`` (N, 4) as served; ``p_one_snapshot`` (N, 4) with each viewer-day read once.
    """

    p: Floats
    p_one_snapshot: Floats


@dataclass(frozen=True, slots=True)
class Scored:
    """N rows, their days, and what the ranker and each baseline says of them."""

    rows: Rows
    days: Ints
    ranker: Pair
    baselines: dict[str, Pair] = field(default_factory=dict)


def score_rows(
    ranker: Scorer,
    rows: Rows,
    day_offset_h: int,
    baselines: Mapping[str, Scorer] | None = None,
) -> Scored:
    """Return rows scored by the exported ranker, and by baselines."""
    days = local_days(rows.at_ms, day_offset_h)
    frozen = with_one_snapshot(rows, viewer_days(rows.users, days))

    def pair(scorer: Scorer) -> Pair:
        return Pair(scorer(rows), scorer(frozen))

    others = {name: pair(scorer) for name, scorer in (baselines or {}).items()}
    return Scored(rows, days, pair(ranker), others)


def pooled(parts: list[Scored]) -> Scored:
    """Return several scored parts as one; they come from one data set and have the same rankers."""
    rows = [part.rows for part in parts]
    columns = [np.concatenate([getattr(each, name) for each in rows]) for name in Rows.__slots__]
    return Scored(
        Rows(*columns),
        np.concatenate([part.days for part in parts]),
        _together([part.ranker for part in parts]),
        {name: _together([part.baselines[name] for part in parts]) for name in parts[0].baselines},
    )


def _together(pairs: list[Pair]) -> Pair:
    return Pair(
        np.concatenate([pair.p for pair in pairs]),
        np.concatenate([pair.p_one_snapshot for pair in pairs]),
    )


def viewer_days(users: Ints, days: Ints) -> Ints:
    """Return (N,) a number a viewer and day."""
    return users * (int(days.max(initial=0)) + 1) + days


def measure(
    scored: Scored,
    seed: int,
    resamples: int = RESAMPLES,
    *,
    surfaces: tuple[str, ...] = (),
    regions: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the tables of a ranker and of what it must beat, with how sure they are.

    Keys: rows, viewers, metrics and floor (by task); baselines, and gains over each (by name, then
    task); slices; intervals; note.

    Args:
        scored: rows and scores.
        seed: of the bootstrap.
        resamples: draws of the bootstrap.
        surfaces: names by code, from 1 on, for the slices.
        regions: likewise.
    """
    rows, groups = scored.rows, viewer_days(scored.rows.users, scored.days)
    tasks = _tasks_of(rows, groups, resamples, seed)
    metrics = _by_task(tasks, scored.ranker)
    return {
        "rows": len(rows),
        "viewers": len(np.unique(rows.users)),
        "metrics": metrics,
        "floor": _floor(tasks, rows, groups),
        "baselines": {
            name: _by_task(tasks, pair, in_order_only=name in IN_ORDER_ONLY)
            for name, pair in scored.baselines.items()
        },
        "gains": {
            name: {task: each.gains(scored.ranker, pair) for task, each in tasks.items()}
            for name, pair in scored.baselines.items()
        },
        "slices": measure_slices(rows, scored.ranker.p, surfaces, regions),
        "intervals": {
            "method": "percentiles of a bootstrap over viewers; of gains, paired",
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
        },
        "note": _note(metrics, len(rows)),
    }


@dataclass(frozen=True, slots=True)
class _Task:
    """The rows whose label of one task is known: their ``places``, ``labels`` and ``figures``."""

    number: int
    places: Ints
    labels: Mask
    figures: Figures

    def of(self, p: Scores, p_one_snapshot: Scores, *, in_order_only: bool = False) -> Any:
        """Return the figures of (N,) scores of all rows."""
        known = p[self.places], p_one_snapshot[self.places]
        return self.figures.of(self.labels, *known, in_order_only=in_order_only)

    def gains(self, ours: Pair, theirs: Pair) -> dict[str, Any]:
        """Return by how much one ranker is above another."""
        return self.figures.gains(self.labels, self._scores(ours), self._scores(theirs))

    def _scores(self, pair: Pair) -> tuple[Scores, Scores]:
        k = self.number
        return pair.p[self.places, k], pair.p_one_snapshot[self.places, k]


def _tasks_of(rows: Rows, groups: Ints, resamples: int, seed: int) -> dict[str, _Task]:
    """Return the tasks by name; those that know the same rows share the draws."""
    figures = dict[bytes, Figures]()
    found = {}
    for k, task in enumerate(TASKS):
        places = np.flatnonzero(rows.known[:, k])
        shared = places.tobytes()
        if shared not in figures:
            draws = Resamples.draw(rows.users[places], resamples, seed)
            figures[shared] = Figures(groups[places], rows.snapshots[places], draws)
        found[task] = _Task(k, places, rows.labels[places, k], figures[shared])
    return found


def _by_task(tasks: dict[str, _Task], pair: Pair, *, in_order_only: bool = False) -> dict[str, Any]:
    return {
        task: each.of(
            pair.p[:, each.number],
            pair.p_one_snapshot[:, each.number],
            in_order_only=in_order_only,
        )
        for task, each in tasks.items()
    }


def _floor(tasks: dict[str, _Task], rows: Rows, groups: Ints) -> dict[str, Any]:
    floor = dict[str, Any]()
    firsts = first_of_group(groups, rows.at_ms)
    for task, each in tasks.items():
        score = rows.dense[:, FEATURE_NAMES.index(FLOOR[task])]
        once = score if task != "like" else score[firsts]
        floor[task] = {"score": FLOOR[task], **each.of(score, once)}
    return floor


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
