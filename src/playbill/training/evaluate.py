"""Protocols: which rows a bundle, or a recipe, is judged on."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from playbill.contracts import Manifest, Settings
from playbill.core import InvalidInput
from playbill.features import FEATURE_NAMES, features_digest
from playbill.models import Ranker
from playbill.training.dataset import Dataset, Rows
from playbill.training.measuring import RESAMPLES, measure, pooled, score_rows
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_training import train_ranker
from playbill.training.split import Split, quick_split, rolling_splits
from playbill.training.train import rows_after


def evaluate_quick(
    tables: Path,
    bundle: Path,
    manifest: Manifest,
    settings: Settings,
    *,
    day_offset_h: int = 0,
    resamples: int = RESAMPLES,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Judge a bundle's own exported ranker on the last day of a data set, or its last share.

    Args:
        tables: folder of a built data set.
        bundle: folder that holds ``ranker.onnx``: a draft or a sealed bundle.
        manifest: of that bundle.
        settings: seed and shares.
        day_offset_h: when days begin, in hours before midnight UTC.
        resamples: draws of the bootstrap.

    Raises:
        InvalidInput: the bundle was made for other features, or has seen the rows.
    """
    if manifest.features != features_digest():
        raise InvalidInput(
            f"the bundle reads features {manifest.features[:19]}…, this version computes "
            f"{features_digest()[:19]}…",
            hint="train again with this version",
        )
    ranker = Ranker.load(bundle / "ranker.onnx", len(FEATURE_NAMES))
    dataset = Dataset.open(tables)
    within(on_progress, "read rows")(0.0)
    rows = dataset.rows()
    split = quick_split(rows.at_ms, settings.training.holdout, day_offset_h)
    seen_until_ms = int(manifest.data["seen_until_ms"])
    if split.validate_until_ms < seen_until_ms:
        raise InvalidInput(
            f"the bundle has seen rows up to {seen_until_ms}, the rows to report on begin at "
            f"{split.validate_until_ms}",
            hint="build the data set again with newer rows, or judge it with the day offset it "
            "was trained with",
        )
    within(on_progress, "measure")(0.0)
    later = rows.only(split.report(rows.at_ms))
    scored = score_rows(ranker, later, day_offset_h)
    found = measure(scored, settings.training.seed, resamples)
    within(on_progress, "measure")(1.0)
    return {
        "protocol": "quick",
        **found,
        "data": _described(dataset, rows, [split], day_offset_h),
    }


def evaluate_rolling(
    tables: Path,
    settings: Settings,
    *,
    days: int = 5,
    day_offset_h: int = 0,
    rows_from_ms: int | None = None,
    resamples: int = RESAMPLES,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Judge the recipe: what retraining every day would have served, over the last days pooled.

    For each day a ranker is trained on the days before its eve, calibrated on its eve, exported,
    and scores it through ONNX Runtime.

    Args:
        tables: folder of a built data set.
        settings: the recipe.
        days: how many days report.
        day_offset_h: when days begin, in hours before midnight UTC.
        rows_from_ms: rows before it are left out; see ``TrainingPlan``.
        resamples: draws of the bootstrap.

    Raises:
        InvalidInput: the rows cover fewer than ``days`` + 2 days, or a part is unfit to train on.
    """
    dataset = Dataset.open(tables)
    within(on_progress, "read rows")(0.0)
    rows = rows_after(dataset.rows(), rows_from_ms)
    splits = rolling_splits(rows.at_ms, days, day_offset_h)
    report = within(on_progress, "train and score days")
    parts = []
    for place, split in enumerate(splits):
        report(place / len(splits))
        graph = train_ranker(rows, split, settings).graph
        ranker = Ranker.load(graph, len(FEATURE_NAMES), threads=settings.training.threads)
        later = rows.only(split.report(rows.at_ms))
        parts.append(score_rows(ranker, later, day_offset_h))
    report(1.0)
    found = measure(pooled(parts), settings.training.seed, resamples)
    return {
        "protocol": "rolling",
        **found,
        "data": _described(dataset, rows, splits, day_offset_h),
    }


def _described(
    dataset: Dataset, rows: Rows, splits: list[Split], day_offset_h: int
) -> dict[str, Any]:
    used = [
        {
            "train_until_ms": split.train_until_ms,
            "validate_until_ms": split.validate_until_ms,
            "report_until_ms": split.report_until_ms,
            "by": split.by,
            "train_rows": int(np.count_nonzero(split.train(rows.at_ms))),
            "validate_rows": int(np.count_nonzero(split.validate(rows.at_ms))),
            "report_rows": int(np.count_nonzero(split.report(rows.at_ms))),
        }
        for split in splits
    ]
    return {
        "table_version": dataset.report.table_version,
        "rows": len(rows),
        "features": dataset.report.features,
        "day_offset_h": day_offset_h,
        "splits": used,
        "report": msgspec.to_builtins(dataset.report),
    }
