"""Protocols: which rows a bundle, or a recipe, is judged on."""

from pathlib import Path
from typing import Any

import msgspec

from playbill.contracts import Manifest, Settings
from playbill.core import InvalidInput
from playbill.features import features_digest
from playbill.training.ablations import fit_ablations
from playbill.training.baselines import fit_baselines
from playbill.training.dataset import Dataset
from playbill.training.measuring import RESAMPLES, Scored, measure, pooled, score_rows
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_training import train_ranker
from playbill.training.row_scorer import RowScorer
from playbill.training.split import Split, rolling_splits

DAYS = 5
"""How many days the rolling protocol scores."""


def evaluate_bundle(
    dataset: Dataset,
    folder: Path,
    manifest: Manifest,
    settings: Settings,
    day_offset_h: int = 0,
    *,
    resamples: int = RESAMPLES,
    baselines: bool = True,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Return the quick protocol's report: the bundle's own exported ranker on rows it never saw.

    Right after training these are the last day, or the last share of the time; on a newer data
    set, all that came since.

    Args:
        dataset: a built data set.
        folder: a draft or a sealed bundle.
        manifest: of that bundle.
        settings: seed and threads.
        day_offset_h: when days begin, in hours before midnight UTC.
        resamples: draws of the bootstrap.
        baselines: whether others are taught on the same rows and stand beside it.

    Raises:
        InvalidInput: the bundle was made for other features, or has seen all the rows.
    """
    if manifest.features != features_digest():
        raise InvalidInput(
            f"the bundle reads features {manifest.features[:19]}…, this version computes "
            f"{features_digest()[:19]}…",
            hint="train again with this version",
        )
    ranker = RowScorer.load(folder, dataset.histories(), settings.training.threads)
    within(on_progress, "read rows")(0.0)
    seen_until_ms = int(manifest.data["validate_until_ms"])
    if dataset.report.last_at_ms < seen_until_ms:
        raise InvalidInput(
            f"the bundle has seen rows up to {seen_until_ms}, and the data set's last is of "
            f"{dataset.report.last_at_ms}; nothing is left to report on",
            hint="serve or import more, then build the data set again; or train with a holdout",
        )
    rows_from_ms = manifest.training.get("rows_from_ms")
    rows = dataset.rows_for(settings, rows_from_ms if baselines else seen_until_ms)
    later = rows.only(rows.at_ms >= seen_until_ms)
    split = _split_of(manifest)
    beside = fit_baselines(rows, split, settings, on_progress) if baselines else {}
    within(on_progress, "measure")(0.0)
    found = _measured(score_rows(ranker, later, day_offset_h, beside), settings, resamples)
    within(on_progress, "measure")(1.0)
    data = {**msgspec.to_builtins(dataset.report), "day_offset_h": day_offset_h}
    return {"protocol": "quick", **found, "data": {**data, "seen_until_ms": seen_until_ms}}


def _measured(scored: Scored, settings: Settings, resamples: int) -> dict[str, Any]:
    return measure(
        scored,
        settings.training.seed,
        resamples,
        surfaces=settings.surfaces,
        regions=settings.regions,
    )


def _split_of(manifest: Manifest) -> Split:
    """Return which rows a bundle learned from and which chose it."""
    data = manifest.data
    return Split(
        int(data["train_until_ms"]),
        int(data["validate_until_ms"]),
        int(data["report_until_ms"]),
        by=str(data["split_by"]),
    )


def evaluate_rolling(
    dataset: Dataset,
    settings: Settings,
    day_offset_h: int = 0,
    on_progress: OnProgress | None = None,
    *,
    days: int = DAYS,
    rows_from_ms: int | None = None,
    resamples: int = RESAMPLES,
    baselines: bool = True,
    ablations: bool = False,
) -> dict[str, Any]:
    """Return what retraining every day would have served, over the last days pooled.

    For each day a ranker is trained on the days before its eve, chosen and calibrated on its eve,
    exported, and scores the day through ONNX Runtime.

    Args:
        dataset: a built data set.
        settings: the recipe.
        day_offset_h: when days begin, in hours before midnight UTC.
        days: how many days report.
        rows_from_ms: rows before it are left out; see ``draft_bundle``.
        resamples: draws of the bootstrap.
        baselines: whether others are taught on the same rows and stand beside it.
        ablations: whether rankers that do without a part each stand beside it.

    Raises:
        InvalidInput: the rows cover fewer than ``days`` + 2 days, or a part is unfit to train on.
    """
    within(on_progress, "read rows")(0.0)
    rows, histories = dataset.rows_for(settings, rows_from_ms), dataset.histories()
    splits = rolling_splits(rows.known_at_ms(), days, day_offset_h)
    parts, used = [], []
    for number, split in enumerate(splits, start=1):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"day {number} of {days}: {stage}", share)

        trained = train_ranker(rows, split, settings, histories, on_progress=progress)
        ranker = RowScorer.of(
            trained.graph, trained.interests, histories, settings.training.threads
        )
        later = rows.only(split.report(rows.at_ms))
        beside = fit_baselines(rows, split, settings, progress) if baselines else {}
        if ablations:
            beside |= fit_ablations(rows, split, settings, histories, progress)
        parts.append(score_rows(ranker, later, day_offset_h, beside))
        used.append({**msgspec.to_builtins(split), "train_rows": trained.record["train_rows"],
                     "report_rows": len(later)})  # fmt: skip
    found = _measured(pooled(parts), settings, resamples)
    data = {**msgspec.to_builtins(dataset.report), "day_offset_h": day_offset_h}
    return {"protocol": "rolling", "days": days, **found, "data": {**data, "splits": used}}
