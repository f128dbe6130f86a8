"""``playbill train`` and ``playbill models``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Annotated, Any

import msgspec
import typer

from playbill.app.advising import AdviceAsked
from playbill.app.learning import Trained, reasons_of
from playbill.app.stopping import Stop, Stopped
from playbill.app.verbs import Home
from playbill.cli.advice import (
    Hours,
    Memory,
    Price,
    Verify,
    Videos,
    Workers,
    print_advice,
)
from playbill.cli.progress import Stages
from playbill.cli.shared import (
    EXIT_STOPPED,
    HomeOption,
    JsonOption,
    err,
    explained,
    out,
    print_json,
)
from playbill.core import InvalidInput
from playbill.registry import BundleStore

_SHOWN = ("created_at_ms", "home", "features", "value_weights")

EXIT_NOT_REPRODUCED = 1

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


Promote = Annotated[bool, typer.Option(help="Make the new bundle the champion.")]
UnlessWorse = Annotated[
    bool,
    typer.Option(
        "--unless-worse",
        help="Leave the champion where it is better on rows that neither has learned from.",
    ),
]
Warm = Annotated[
    bool,
    typer.Option("--warm", help="Begin with the champion's networks, and learn what came since."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the training that was interrupted.")
]
Reproduce = Annotated[
    str | None,
    typer.Option(help="Train this bundle once more, and compare the files; keep nothing."),
]
Advise = Annotated[
    bool, typer.Option("--advise", help="Train nothing; say how workers should share it.")
]


def train(
    home: HomeOption = None,
    day_offset: DayOffset = None,
    rows_from: RowsFrom = None,
    promote: Promote = True,
    unless_worse: UnlessWorse = False,
    warm: Warm = False,
    resume: Resume = False,
    reproduce: Reproduce = None,
    advise: Advise = False,
    workers: Workers = None,
    memory_gib: Memory = 16.0,
    deadline_h: Hours = None,
    price: Price = None,
    videos: Videos = None,
    verify: Verify = False,
    json: JsonOption = False,
) -> None:
    """Replay the log into a data set, train on it, and let the bundle serve.

    Ctrl-C keeps what was done; --resume goes on with it and ends with the same bytes.
    """
    with explained():
        if reproduce is not None:
            _reproduce(Home(home), reproduce, json)
            return
        if advise:
            asked = AdviceAsked(
                workers=tuple(workers or (1, 2)),
                memory_gib=memory_gib,
                hours=deadline_h,
                price=price,
                videos=videos,
                verify=verify,
            )
            print_advice(Home(home), asked, json=json)
            return
        how = {
            "day_offset_h": day_offset,
            "rows_from_ms": in_ms(rows_from),
            "promote": promote,
            "unless_worse": unless_worse,
            "warm": warm,
            "resume": resume,
        }
        trained = _trained(Home(home), how, quiet=json)
        if json:
            print_json(trained)
            return
        auc = ", ".join(f"{task} {value:.4f}" for task, value in trained.auc.items())
        out.print(f"bundle {trained.digest}", highlight=False)
        out.print(
            f"{trained.rows:,} rows (table version {trained.table_version}); held-out AUC: {auc}",
            highlight=False,
        )
        if trained.against is not None:
            _print_against(trained.against, promoted=trained.promoted)


def _print_against(against: dict[str, Any], *, promoted: bool) -> None:
    """Say how a new bundle does beside the champion, and what became of it."""
    told = []
    for task, found in against["gains"].items():
        if found["auc"] is not None and found["auc_interval"] is not None:
            low, high = found["auc_interval"]
            told.append(f"{task} {found['auc']:+.4f} [{low:+.4f}, {high:+.4f}]")
    out.print(
        f"AUC above the champion {against['champion'][:19]}… on {against['rows']:,} rows that "
        f"neither learned from: {', '.join(told) or 'not known'}",
        highlight=False,
    )
    verdict = "it serves now" if promoted else "the champion stays"
    out.print("; ".join([*reasons_of(against), verdict]), highlight=False)


def _trained(home: Home, asked: dict[str, Any], *, quiet: bool) -> Trained:
    """Return what a training made, with progress; a signal ends it with a status of its own."""
    stop = Stop()
    with Stages(quiet=quiet) as stages, _told_by_signals(stop):
        try:
            return home.train(stages, **asked, on_metric=stages.note, stop=stop.asked)
        except Stopped as stopped:
            stages.stop()
            err.print(f"stopped ({stopped}); playbill train --resume goes on", highlight=False)
            raise typer.Exit(EXIT_STOPPED) from None


@contextmanager
def _told_by_signals(stop: Stop) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM ask to stop; a second Ctrl-C ends the program as usual."""

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.asked():
            raise KeyboardInterrupt
        stop.ask()

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _reproduce(home: Home, named: str, json: bool) -> None:
    """Print how a bundle made once more compares; exit 1 when it is not the same."""
    digest = bundle_named(home.bundles, named)
    with Stages(quiet=json) as stages:
        found = home.reproduce(digest, stages)
    if json:
        print_json(found)
    else:
        for name, same in found.files.items():
            out.print(f"{'same' if same else 'DIFFERS':8} {name}", highlight=False)
        for name, (then, now) in found.changed.items():
            out.print(f"{name} was {then} and is {now}", highlight=False)
        verdict = "reproduced" if found.equal else "not reproduced"
        out.print(f"{verdict}: {found.digest}", highlight=False)
    if not found.equal:
        raise typer.Exit(EXIT_NOT_REPRODUCED)


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
