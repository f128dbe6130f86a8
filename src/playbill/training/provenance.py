"""What a bundle says of itself: on what it was trained, how, with what, and how well it did."""

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from playbill.contracts import BUNDLE_FORMAT, Manifest, Settings, settings_digest
from playbill.features import FEATURE_NAMES, features_digest
from playbill.models import value_weights
from playbill.training.dataset import Dataset, Rows
from playbill.training.split import Split

SETTINGS_READ = ("regions", "surfaces", "admission", "labels", "state", "training", "value")
"""Settings that training and the replay before it read; the others leave no trace in a bundle."""
_LIBRARIES = ("torch", "numpy", "onnx", "onnxruntime", "deltalake", "duckdb")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a run was made under, for its provenance: nothing here is read by the run itself."""

    at_ms: int
    hardware: str
    version: str
    home: str
    """Id of the home whose log the data set was made from."""


def manifest_of(
    dataset: Dataset,
    rows: Rows,
    split: Split,
    settings: Settings,
    made: Circumstances,
    record: dict[str, Any],
    metrics: dict[str, Any],
) -> Manifest:
    """Return the manifest of a draft; its files are filled in when it is sealed.

    Args:
        dataset: where the rows come from.
        rows: those that were looked at.
        split: which of them trained, chose and reported.
        settings: seed, recipe and value weights.
        made: circumstances.
        record: what training did, by network.
        metrics: what was measured on the rows that report.
    """
    data = {
        **msgspec.to_builtins(dataset.report),
        "rows_used": len(rows),
        "first_used_at_ms": int(rows.at_ms.min()),
        "split_by": split.by,
        "train_until_ms": split.train_until_ms,
        "validate_until_ms": split.validate_until_ms,
        "report_until_ms": split.report_until_ms,
    }
    training = {
        **msgspec.to_builtins(settings.training),
        "hidden": list(settings.training.hidden),
        **record,
        "settings": settings_digest(settings),
        "settings_read": settings_read(settings),
        "version": made.version,
        "hardware": made.hardware,
        "python": platform.python_version(),
        "libraries": libraries(),
    }
    return Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=made.at_ms,
        home=made.home,
        features=features_digest(),
        feature_names=list(FEATURE_NAMES),
        files={},
        value_weights=value_weights(settings.value),
        data=data,
        training=training,
        metrics=metrics,
    )


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that weights depend on."""
    return {name: metadata.version(name) for name in _LIBRARIES}


def settings_read(settings: Settings) -> dict[str, Any]:
    """Return every setting that a data set or a draft depends on, with its value.

    Not all settings: keys and ids of viewers are among the others.
    """
    read = {name: getattr(settings, name) for name in SETTINGS_READ}
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(read))
    return found


def write_card(path: Path, manifest: Manifest) -> None:
    """Write what the manifest says, but for the files, as a card for people and programs."""
    card = msgspec.to_builtins(manifest)
    del card["files"]
    write_json(path, card)


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON with sorted keys: the same value gives the same bytes."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value, order="sorted")))
