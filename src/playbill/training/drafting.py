"""One training run: a data set in, the files of a bundle out."""

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import BUNDLE_FORMAT, Manifest, Settings, settings_digest
from playbill.core import DAY_MS, InvalidInput
from playbill.features import FEATURE_NAMES, VISIBLE, features_digest
from playbill.models import LightScorer, Ranker, value_vector, value_weights
from playbill.training.dataset import Dataset, Rows
from playbill.training.measuring import measure, score_rows
from playbill.training.progress import OnProgress
from playbill.training.ranker_training import train_ranker
from playbill.training.split import Split, quick_split
from playbill.training.tower_data import positives_of
from playbill.training.tower_training import train_towers

POPULAR = 200
_HALF_LIFE_MS = 2 * DAY_MS
_LIBRARIES = ("torch", "numpy", "onnx", "onnxruntime", "deltalake")
_RIDGE = 1e-3
_SAMPLE = 100_000


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a run was made under, for its provenance: nothing here is read by the run itself."""

    at_ms: int
    hardware: str
    version: str


def draft_bundle(
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    made: Circumstances,
    *,
    day_offset_h: int = 0,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """Write a bundle's files, all but index and manifest, and return the manifest without files.

    Rows of the last part of the quick split are only scored, for the report.

    Raises:
        InvalidInput: too few rows, or rows of one class only.
    """
    rows = dataset.rows()
    split = quick_split(rows.at_ms, settings.training.holdout, day_offset_h)
    ranker = train_ranker(rows, split, settings, on_progress=on_progress)
    learned = rows.only(rows.at_ms < split.validate_until_ms)
    items = dataset.items()
    towers = train_towers(
        positives_of(learned, dataset.histories()), items, settings, on_progress=on_progress
    )
    scorer = Ranker.load(ranker.graph, len(FEATURE_NAMES), threads=settings.training.threads)
    folder.mkdir(parents=True)
    (folder / "ranker.onnx").write_bytes(ranker.graph)
    (folder / "user_tower.onnx").write_bytes(towers.user_graph)
    towers.content.save(folder / "content_tower.npz")
    distilled(scorer, learned, settings).save(folder / "light.npz")
    visible = (items["flags"] & VISIBLE) != 0
    np.save(folder / "item_vectors.npy", towers.item_vectors[visible])
    np.save(folder / "item_keys.npy", items["key"][visible])
    lists = popular_lists(learned, items, len(settings.regions))
    (folder / "popular.json").write_bytes(msgspec.json.encode(lists))
    report = measure(
        score_rows(scorer, rows.only(split.report(rows.at_ms)), day_offset_h),
        settings.training.seed,
    )
    manifest = Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=made.at_ms,
        features=features_digest(),
        feature_names=list(FEATURE_NAMES),
        files={},
        value_weights=value_weights(settings.value),
        data=_data(dataset, split),
        training=_training(settings, made, {"ranker": ranker.record, "towers": towers.record}),
        metrics=report,
    )
    card = {"data": manifest.data, "training": manifest.training, "metrics": report}
    (folder / "card.json").write_bytes(msgspec.json.encode(card))
    return manifest


def distilled(ranker: Ranker, rows: Rows, settings: Settings) -> LightScorer:
    """Return the light scorer that follows the ranker's expected utility most closely.

    Ridge regression over standardised features, at most 100,000 of the newest rows, folded back
    to weights over raw features.
    """
    newest = rows.only(np.arange(max(0, len(rows) - _SAMPLE), len(rows)))
    dense = newest.dense.astype(np.float64)
    utility = ranker.score(newest.dense, newest.categories) @ value_vector(settings.value)
    mean, deviation = dense.mean(axis=0), dense.std(axis=0)
    scale = np.where(deviation > 1e-6, deviation, np.inf)
    standard = (dense - mean) / scale
    gram = standard.T @ standard + _RIDGE * len(dense) * np.eye(dense.shape[1])
    slopes = np.linalg.solve(gram, standard.T @ (utility - utility.mean())) / scale
    bias = float(utility.mean() - slopes @ mean)
    return LightScorer(slopes.astype(np.float32), np.float32(bias))


def popular_lists(rows: Rows, items: npt.NDArray[np.void], regions: int) -> dict[str, list[int]]:
    """Return keys of the videos taken most lately, by region code; "0" is everywhere.

    A taken video counts 1, a long view 1 more, halved every two days; a region's list is filled
    up from everywhere's.
    """
    taken = rows.labels[:, 0].astype(np.float64) + rows.labels[:, 1]
    weight = taken * np.exp2((rows.at_ms - rows.at_ms.max()) / _HALF_LIFE_MS)
    visible = (items["flags"] & VISIBLE) != 0
    lists: dict[str, list[int]] = {}
    for region in range(regions + 1):
        here = weight if region == 0 else np.where(rows.categories[:, 1] == region, weight, 0.0)
        scores = np.bincount(rows.items, here, minlength=len(items)) * visible
        best = np.lexsort((np.arange(len(items)), -scores))[:POPULAR]
        keys = items["key"][best[scores[best] > 0]].tolist()
        rest = [key for key in lists.get("0", []) if key not in set(keys)]
        lists[str(region)] = (keys + rest)[:POPULAR]
    return lists


def evaluate_bundle(
    dataset: Dataset, folder: Path, manifest: Manifest, settings: Settings, day_offset_h: int
) -> dict[str, Any]:
    """Return the quick protocol's report: the bundle's own ranker on rows it has not seen.

    Raises:
        InvalidInput: the data set ends before the bundle's rows did, so it has seen them all.
    """
    rows = dataset.rows()
    learned_until_ms = int(manifest.data["validate_until_ms"])
    unseen = rows.only(rows.at_ms >= learned_until_ms)
    if not len(unseen):
        raise InvalidInput(
            "the bundle has seen every row of the data set; nothing is left to report on",
            hint="serve or import more, then build the data set again; or train with a holdout",
        )
    ranker = Ranker.load(
        folder / "ranker.onnx", len(FEATURE_NAMES), threads=settings.training.threads
    )
    report = measure(score_rows(ranker, unseen, day_offset_h), settings.training.seed)
    return {"protocol": "quick", **report, "data": manifest.data}


def _data(dataset: Dataset, split: Split) -> dict[str, Any]:
    found = msgspec.to_builtins(dataset.report)
    assert isinstance(found, dict)
    return {
        **found,
        "split_by": split.by,
        "train_until_ms": split.train_until_ms,
        "validate_until_ms": split.validate_until_ms,
        "report_until_ms": split.report_until_ms,
    }


def _training(settings: Settings, made: Circumstances, records: dict[str, Any]) -> dict[str, Any]:
    return {
        "seed": settings.training.seed,
        "threads": settings.training.threads,
        "settings": settings_digest(settings),
        "version": made.version,
        "hardware": made.hardware,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        **records,
    }
