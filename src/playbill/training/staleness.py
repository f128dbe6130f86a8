"""What a ranker loses by growing old: one that was not trained again, beside one that was."""

from typing import Any

import msgspec

from playbill.contracts import Settings
from playbill.models import TASKS
from playbill.training.dataset import Dataset
from playbill.training.evaluating import DAYS
from playbill.training.measuring import RESAMPLES, measure, pooled, score_rows
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_training import train_ranker
from playbill.training.row_scorer import RowScorer
from playbill.training.split import rolling_splits

FRESH = "trained the day before"
_FIGURES = ("auc", "gauc", "gauc_one_snapshot")


def evaluate_staleness(
    dataset: Dataset,
    settings: Settings,
    day_offset_h: int = 0,
    on_progress: OnProgress | None = None,
    *,
    days: int = DAYS,
    rows_from_ms: int | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return how far rankers of one age fall behind fresh ones on the same days, age by age.

    A ranker is trained for each of the last days, as in the rolling protocol. Each then scores the
    days after its own as well, beside the one that was trained for that day.

    Args:
        dataset: a built data set.
        settings: the recipe.
        day_offset_h: when days begin, in hours before midnight UTC.
        days: how many there are; the oldest ranker is one day less old.
        rows_from_ms: rows before it are left out; see ``draft_bundle``.
        resamples: draws of the bootstrap.

    Raises:
        InvalidInput: the rows cover fewer than ``days`` + 2 days, or a part is unfit to train on.
    """
    within(on_progress, "read rows")(0.0)
    rows, histories = dataset.rows_for(settings, rows_from_ms), dataset.histories()
    splits = rolling_splits(rows.known_at_ms(), days, day_offset_h)
    rankers, threads = [], settings.training.threads
    for number, split in enumerate(splits, start=1):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"day {number} of {days}: {stage}", share)

        made = train_ranker(rows, split, settings, histories, on_progress=progress)
        rankers.append(RowScorer.of(made.graph, made.interests, histories, threads))
    report = within(on_progress, "measure")
    curve = []
    for age in range(1, days):
        parts = [
            score_rows(
                rankers[day - age],
                rows.only(splits[day].report(rows.at_ms)),
                day_offset_h,
                {FRESH: rankers[day]},
            )
            for day in range(age, days)
        ]
        found = measure(pooled(parts), settings.training.seed, resamples)
        curve.append({"age_days": age, "rows": found["rows"], "tasks": _by_task(found)})
        report(age / (days - 1))
    return {
        "protocol": "staleness", "days": days, "curve": curve,
        "note": "paired differences over the same rows, with 95 % intervals over viewers; the "
        "ranker alone: videos' rates, and what viewers did, are of the instant of each row",
        "data": {**msgspec.to_builtins(dataset.report), "day_offset_h": day_offset_h},
    }  # fmt: skip


def _by_task(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return by task: the figures of old and fresh ones, and the difference."""
    return {
        task: {
            **{figure: found["metrics"][task][figure] for figure in _FIGURES},
            "fresh": {figure: found["baselines"][FRESH][task][figure] for figure in _FIGURES},
            "above_fresh": found["gains"][FRESH][task],
        }
        for task in TASKS
    }
