"""A bundle made once more from what it says of itself, and compared file by file."""

from dataclasses import replace
from typing import Any

import msgspec

from playbill import __version__
from playbill.app.learning import OnProgress, drafted_bundle, hardware, one_at_a_time
from playbill.app.left import left_by
from playbill.app.wiring import Wiring
from playbill.contracts import Manifest, Settings
from playbill.registry import digests_of

_CIRCUMSTANCES = ("card.json",)
"""Files that tell of machine and libraries as well."""


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """How a bundle made anew compares with the one that is there."""

    digest: str
    equal: bool
    """Every file but the card has the same bytes."""
    files: dict[str, bool]
    """By name: whether the bytes are the same; a file that only one of them has is not."""
    changed: dict[str, list[Any]]
    """What is not as it was: then and now, of version, hardware, python and libraries."""


def reproduce(wiring: Wiring, digest: str, on_progress: OnProgress | None) -> Reproduced:
    """Train again with a bundle's own data, settings and seed, and compare the files.

    Nothing is kept, and the champion stays.

    Raises:
        NotFound: there is no such bundle, or what it began with was cleared away.
        InvalidInput: its data set is gone, or its features are not this version's.
        Conflict: another training runs on this home.
    """
    from playbill.training import Circumstances, Dataset

    store = wiring.bundles()
    manifest = store.manifest(digest)
    dataset = Dataset.of_manifest(wiring.layout.tables, manifest)
    settings = _settings_of(manifest, wiring.settings)
    training = manifest.training
    begun_with = training.get("begun_with")
    home = manifest.home or wiring.recorded().home
    made = Circumstances(manifest.created_at_ms, hardware(), __version__, home)
    with (
        one_at_a_time(wiring.layout.bundles),
        drafted_bundle(
            replace(wiring, settings=settings),
            dataset,
            made,
            int(training["day_offset_h"]),
            training["rows_from_ms"],
            None,
            on_progress,
            begin=left_by(wiring, store, begun_with) if begun_with else None,
        ) as (folder, again),
    ):
        ours = digests_of(folder)
    names = sorted({*ours, *manifest.files})
    files = {name: ours.get(name) == manifest.files.get(name) for name in names}
    return Reproduced(
        digest=digest,
        equal=all(same for name, same in files.items() if name not in _CIRCUMSTANCES),
        files=files,
        changed=_changed(training, again.training),
    )


def _settings_of(manifest: Manifest, settings: Settings) -> Settings:
    """Return a home's settings with those that a bundle's training read as they were."""
    now: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    then = manifest.training["settings_read"]
    memory = {"rows_in_memory_gib": settings.training.rows_in_memory_gib}
    found = {**now, **then, "training": {**then["training"], **memory}}
    return msgspec.json.decode(msgspec.json.encode(found), type=Settings)


def _changed(then: dict[str, Any], now: dict[str, Any]) -> dict[str, list[Any]]:
    libraries = {**then["libraries"], **now["libraries"]}
    pairs = {name: [then[name], now[name]] for name in ("version", "hardware", "python")}
    pairs |= {name: [then["libraries"].get(name), now["libraries"].get(name)] for name in libraries}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
