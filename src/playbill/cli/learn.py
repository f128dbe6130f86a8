"""``playbill train`` and ``playbill models``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, out, print_json
from playbill.core import InvalidInput
from playbill.registry import BundleStore

_SHOWN = ("created_at_ms", "home", "features", "value_weights")

BundleArgument = Annotated[
    str, typer.Argument(help="The bundle, or the first digits of its digest.")
]

DayOffset = Annotated[
    int | None,
    typer.Option(
        min=-12,
        max=14,
        help="When days begin, in hours before midnight UTC; else training.day_offset_h.",
    ),
]

RowsFrom = Annotated[
    datetime | None,
    typer.Option(
        help="Impressions before it (UTC) fill histories and teach nothing; "
        "else training.rows_from."
    ),
]


def train(
    home: HomeOption = None,
    day_offset: DayOffset = None,
    rows_from: RowsFrom = None,
    promote: Annotated[bool, typer.Option(help="Make the new bundle the champion.")] = True,
    json: JsonOption = False,
) -> None:
    """Replay the log into a data set, train on it, and let the bundle serve."""
    with explained():
        with Stages(quiet=json) as stages:
            trained = Home(home).train(
                stages, day_offset_h=day_offset, rows_from_ms=in_ms(rows_from), promote=promote
            )
        if json:
            print_json(trained)
            return
        auc = ", ".join(f"{task} {value:.4f}" for task, value in trained.auc.items())
        out.print(f"bundle {trained.digest}", highlight=False)
        out.print(
            f"{trained.rows:,} rows (table version {trained.table_version}); held-out AUC: {auc}",
            highlight=False,
        )


def models(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the bundles, oldest first; the champion is marked."""
    with explained():
        store = Home(home).bundles
        champion = store.champion()
        found = []
        for digest in store.digests():
            entry: dict[str, Any] = {"digest": digest, "champion": digest == champion}
            try:
                manifest = store.manifest(digest)
            except InvalidInput as refusal:
                found.append({**entry, "refused": refusal.message})
                continue
            rows = manifest.data.get("rows")
            found.append({**entry, "created_at_ms": manifest.created_at_ms, "rows": rows})
        if json:
            print_json(found)
            return
        for bundle in found:
            mark = "champion" if bundle["champion"] else ""
            state = bundle.get("refused") or f"{bundle['rows']:,} rows"
            out.print(f"{bundle['digest']}  {state}  {mark}", highlight=False)
        if not found:
            out.print("no bundle yet; playbill train makes one")


def show(digest: BundleArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Print what a bundle says of itself: where, on what and with which settings it was made."""
    with explained():
        store = Home(home).bundles
        found = bundle_named(store, digest)
        manifest = msgspec.to_builtins(store.manifest(found))
        if json:
            print_json({"digest": found, **manifest})
            return
        out.print(f"bundle {found}", highlight=False)
        read = manifest["training"].get("settings_read", {})
        for name, value in [
            *((name, manifest[name]) for name in _SHOWN),
            *((name, value) for name, value in manifest["data"].items()),
            *((f"settings: {name}", value) for name, value in read.items()),
        ]:
            out.print(f"{name:28} {_said(value)}", highlight=False)


def promote(digest: BundleArgument, home: HomeOption = None) -> None:
    """Make a bundle the champion; rolling back is the same command."""
    with explained():
        store = Home(home).bundles
        store.promote(bundle_named(store, digest))
        out.print(f"{store.champion()} serves", highlight=False)


def bundle_named(store: BundleStore, digest: str) -> str:
    """Return the one digest that begins so, or else what was asked for."""
    wanted = digest.removeprefix("sha256:")
    matches = [
        known for known in store.digests() if known.removeprefix("sha256:").startswith(wanted)
    ]
    return matches[0] if len(matches) == 1 else "sha256:" + wanted


def _said(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def in_ms(instant: datetime | None) -> int | None:
    """Return an instant that was given without a zone, which means UTC."""
    return None if instant is None else int(instant.replace(tzinfo=UTC).timestamp() * 1000)
