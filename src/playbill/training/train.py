"""From the tables to a draft bundle: everything that a registry needs to seal one."""

import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch

from playbill import __version__
from playbill.contracts import BUNDLE_FORMAT, Manifest, Settings, settings_digest
from playbill.core import Conflict, DependencyUnavailable
from playbill.features import FEATURE_NAMES, VISIBLE
from playbill.models import Ranker, value_vector, value_weights
from playbill.training.dataset import Dataset, Rows
from playbill.training.leaks import leak_suspects
from playbill.training.light_training import describe_light, distil_light
from playbill.training.measuring import measure, score_rows
from playbill.training.popular import popular_lists
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_training import TrainedRanker, train_ranker
from playbill.training.retrieval_metrics import measure_towers
from playbill.training.split import Split, quick_split
from playbill.training.tower_data import positives_of
from playbill.training.tower_training import TrainedTowers, train_towers

_LIGHT_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What to train on, and what the manifest says of the circumstances.

    Args:
        tables: folder of a built data set.
        draft: folder to be made; it must not be there.
        settings: seed, threads, epochs, value weights, declared regions and surfaces.
        created_at_ms: instant of the bundle, by the caller's clock.
        hardware: the machine in words, by the caller.
        day_offset_h: when days begin, in hours before midnight UTC.
        rows_from_ms: rows before it are left out, None for none: imported watches with made-up
            times fill viewers' histories and are no impressions to learn from.
        require: tasks without which there is no bundle.
    """

    tables: Path
    draft: Path
    settings: Settings
    created_at_ms: int
    hardware: str
    day_offset_h: int = 0
    rows_from_ms: int | None = None
    require: tuple[str, ...] = ("click", "long_view")


@dataclass(frozen=True, slots=True)
class Draft:
    """A folder with all files of a bundle but the index, and the manifest that lacks only them."""

    folder: Path
    manifest: Manifest


def train(plan: TrainingPlan, on_progress: OnProgress | None = None) -> Draft:
    """Train ranker, light scorer and towers on a data set and write the draft of a bundle.

    The last part of the time is held out and only reported on, the part before it chooses and
    calibrates; see ``quick_split``.

    Raises:
        InvalidInput: the data set is unfit: other features, missing columns, NaN, too few rows,
            one class.
        NotFound: there is no data set.
        Conflict: the draft folder is there already.
        DependencyUnavailable: the folder cannot be written; nothing is left of the draft.
    """
    dataset = Dataset.open(plan.tables)
    with _drafted(plan.draft) as folder:
        within(on_progress, "read rows")(0.0)
        rows = rows_after(dataset.rows(), plan.rows_from_ms)
        within(on_progress, "read rows")(1.0)
        split = quick_split(rows.at_ms, plan.settings.training.holdout, plan.day_offset_h)
        ranker = train_ranker(rows, split, plan.settings, require=plan.require,
                              on_progress=on_progress)  # fmt: skip
        record, metrics = _write_files(plan, dataset, rows, split, ranker, folder, on_progress)
        manifest = _manifest(plan, dataset, rows, split, record, metrics)
        card = msgspec.to_builtins(manifest)
        del card["files"]
        (folder / "card.json").write_bytes(_json(card))
    return Draft(plan.draft, manifest)


def rows_after(rows: Rows, from_ms: int | None) -> Rows:
    """Return the rows from an instant on; all of them for None."""
    return rows if from_ms is None else rows.only(rows.at_ms >= from_ms)


@contextmanager
def _drafted(draft: Path) -> Iterator[Path]:
    """Yield a scratch folder that becomes the draft when all went well, and vanishes otherwise."""
    if draft.exists():
        raise Conflict(f"{draft} is there already", hint="choose another folder for the draft")
    scratch = draft.with_name(f".{draft.name}.partial")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        (scratch / "card.json").touch()
        yield scratch
        scratch.rename(draft)
    except OSError as error:
        raise DependencyUnavailable(
            f"the draft {draft} cannot be written: {error}",
            hint="free space or choose a folder that can be written",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_files(
    plan: TrainingPlan,
    dataset: Dataset,
    rows: Rows,
    split: Split,
    ranker: TrainedRanker,
    folder: Path,
    on_progress: OnProgress | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write every file of the draft but the card; return what was done and what was measured."""
    settings, items = plan.settings, dataset.items()
    seed, threads = settings.training.seed, settings.training.threads
    train_part, later_part = split.train(rows.at_ms), split.report(rows.at_ms)
    seen, later = rows.at_ms < split.validate_until_ms, rows.only(later_part)
    (folder / "ranker.onnx").write_bytes(ranker.graph)
    runtime = Ranker.load(ranker.graph, len(FEATURE_NAMES), threads=threads)
    value = value_vector(settings.value)
    report = within(on_progress, "distil the light scorer")
    report(0.0)
    some = np.flatnonzero(train_part)[-_LIGHT_ROWS:]
    worth = runtime.score(rows.dense[some], rows.categories[some]) @ value
    light = distil_light(rows.dense[some], worth, seed, threads)
    light.save(folder / "light.npz")
    report(1.0)
    histories = dataset.histories()
    positives = positives_of(rows, histories, seen)
    towers = train_towers(positives, items, settings, on_progress)
    _write_towers(folder, towers, items)
    now_ms = split.validate_until_ms
    lists = popular_lists(rows, seen, items, value, len(settings.regions), now_ms)
    (folder / "popular.json").write_bytes(_json(lists))
    within(on_progress, "measure")(0.0)
    scored = score_rows(runtime, later, plan.day_offset_h)
    metrics = {
        "ranker": measure(scored, seed),
        "light": describe_light(light, later.dense, scored.p @ value),
        "towers": measure_towers(
            towers, positives_of(rows, histories, later_part), positives.items
        ),
        "leak_suspects": leak_suspects(rows.dense[some], rows.labels[some]),
    }
    within(on_progress, "measure")(1.0)
    return {"ranker": ranker.record, "towers": towers.record}, metrics


def _write_towers(folder: Path, towers: TrainedTowers, items: npt.NDArray[np.void]) -> None:
    visible = (items["flags"] & VISIBLE) != 0
    (folder / "user_tower.onnx").write_bytes(towers.user_graph)
    towers.content.save(folder / "content_tower.npz")
    np.save(folder / "item_vectors.npy", towers.item_vectors[visible], allow_pickle=False)
    np.save(folder / "item_keys.npy", items["key"][visible], allow_pickle=False)


def _manifest(
    plan: TrainingPlan,
    dataset: Dataset,
    rows: Rows,
    split: Split,
    record: dict[str, Any],
    metrics: dict[str, Any],
) -> Manifest:
    settings = plan.settings
    return Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=plan.created_at_ms,
        features=dataset.report.features,
        feature_names=list(FEATURE_NAMES),
        files={},
        value_weights=value_weights(settings.value),
        data={
            "table_version": dataset.report.table_version,
            "rows": len(rows),
            "first_at_ms": int(rows.at_ms.min()),
            "last_at_ms": int(rows.at_ms.max()),
            "split": {
                "by": split.by,
                "day_offset_h": plan.day_offset_h,
                "train_until_ms": split.train_until_ms,
                "validate_until_ms": split.validate_until_ms,
            },
            "seen_until_ms": split.validate_until_ms,
            "rows_from_ms": plan.rows_from_ms,
            "report": msgspec.to_builtins(dataset.report),
        },
        training={
            **msgspec.to_builtins(settings.training),
            **record,
            "settings": settings_digest(settings),
            "code": __version__,
            "libraries": _libraries(),
            "hardware": plan.hardware,
        },
        metrics=metrics,
    )


def _libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _json(value: Any) -> bytes:
    """Return readable JSON with sorted keys: the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"))
