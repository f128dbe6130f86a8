"""The rolling protocol: what retraining every day would have served."""

from typing import Any

from playbill.contracts import Settings
from playbill.features import FEATURE_NAMES
from playbill.models import Ranker
from playbill.training.dataset import Dataset
from playbill.training.measuring import measure, pooled, score_rows
from playbill.training.progress import OnProgress
from playbill.training.ranker_training import train_ranker
from playbill.training.split import rolling_splits

DAYS = 5


def evaluate_rolling(
    dataset: Dataset,
    settings: Settings,
    day_offset_h: int,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Return the pooled report of five rankers, each scored on the day after it was chosen.

    For each of the last five days: train on the days before the one before, validate on the one
    before, score the day.

    Raises:
        InvalidInput: the rows cover fewer than seven days.
    """
    rows = dataset.rows()
    parts = []
    for number, split in enumerate(rolling_splits(rows.at_ms, DAYS, day_offset_h), start=1):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"day {number} of {DAYS}: {stage}", share)

        graph = train_ranker(rows, split, settings, on_progress=progress).graph
        ranker = Ranker.load(graph, len(FEATURE_NAMES), threads=settings.training.threads)
        parts.append(score_rows(ranker, rows.only(split.report(rows.at_ms)), day_offset_h))
    report = measure(pooled(parts), settings.training.seed)
    return {"protocol": "rolling", "days": DAYS, **report}
