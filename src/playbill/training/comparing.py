"""A challenger beside the champion, on rows that neither has learned from."""

from pathlib import Path
from typing import Any

from playbill.contracts import Manifest, Settings
from playbill.core import InvalidInput
from playbill.models import TASKS
from playbill.training.dataset import REQUIRED, Dataset
from playbill.training.measuring import RESAMPLES, measure, score_rows
from playbill.training.row_scorer import RowScorer

CHAMPION = "champion"


def compare_bundles(
    dataset: Dataset,
    challenger: tuple[Path, Manifest],
    champion: tuple[Path, Manifest],
    settings: Settings,
    day_offset_h: int,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return how far the challenger is above or below the champion.

    Keys: rows, that neither has learned from; gains, challenger less champion by task and figure,
    with paired 95 % intervals over viewers; worse, tasks whose AUC is lower beyond doubt: the
    whole interval is below zero; untold, required tasks of which no label is known there yet.

    Args:
        dataset: that the challenger learned from.
        challenger: folder and manifest of a draft or a bundle.
        champion: folder and manifest.
        settings: seed and threads.
        day_offset_h: when days begin, in hours before midnight UTC.
        resamples: draws of the bootstrap.

    Raises:
        InvalidInput: a bundle was made for other inputs, or there is no row both have not seen.
    """
    seen_ms = max(int(manifest.data["validate_until_ms"]) for _, manifest in (challenger, champion))
    rows, histories = dataset.rows_for(settings, seen_ms), dataset.histories()
    if not len(rows):
        raise InvalidInput(
            f"the data set holds no row from {seen_ms} on that neither bundle has seen",
            hint="serve or import more, and train again",
        )
    threads = settings.training.threads
    ours, theirs = (
        RowScorer.load(folder, histories, threads) for folder, _ in (challenger, champion)
    )
    scored = score_rows(ours, rows, day_offset_h, {CHAMPION: theirs})
    gains = measure(scored, settings.training.seed, resamples)["gains"][CHAMPION]
    intervals = {task: gains[task]["auc_interval"] for task in REQUIRED}
    worse = [task for task, ends in intervals.items() if ends is not None and ends[1] < 0.0]
    untold = [task for task in REQUIRED if not rows.known[:, TASKS.index(task)].any()]
    return {"rows": len(rows), "gains": gains, "worse": worse, "untold": untold}
