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
from playbill.training.metrics import Ints
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
    draws = Resamples.draw(rows.users, resamples, seed)
    figures = Figures(groups, rows.snapshots, draws)
    metrics = _by_task(figures, rows, scored.ranker)
    return {
        "rows": len(rows),
        "viewers": draws.counts.shape[1],
        "metrics": metrics,
        "floor": _floor(figures, scored, groups),
        "baselines": {
            name: _by_task(figures, rows, pair, in_order_only=name in IN_ORDER_ONLY)
            for name, pair in scored.baselines.items()
        },
        "gains": {
            name: _gains(figures, rows, scored.ranker, pair)
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


def _by_task(
    figures: Figures, rows: Rows, pair: Pair, *, in_order_only: bool = False
) -> dict[str, Any]:
    return {
        task: figures.of(
            rows.labels[:, k],
            pair.p[:, k],
            pair.p_one_snapshot[:, k],
            in_order_only=in_order_only,
        )
        for k, task in enumerate(TASKS)
    }


def _gains(figures: Figures, rows: Rows, ours: Pair, theirs: Pair) -> dict[str, Any]:
    return {
        task: figures.gains(
            rows.labels[:, k],
            (ours.p[:, k], ours.p_one_snapshot[:, k]),
            (theirs.p[:, k], theirs.p_one_snapshot[:, k]),
        )
        for k, task in enumerate(TASKS)
    }


def _floor(figures: Figures, scored: Scored, groups: Ints) -> dict[str, Any]:
    rows, floor = scored.rows, dict[str, Any]()
    firsts = first_of_group(groups, rows.at_ms)
    for k, task in enumerate(TASKS):
        score = rows.dense[:, FEATURE_NAMES.index(FLOOR[task])]
        once = score if task != "like" else score[firsts]
        floor[task] = {"score": FLOOR[task], **figures.of(rows.labels[:, k], score, once)}
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
