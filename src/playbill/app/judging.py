"""From a bundle, or a recipe, to its figures."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from playbill.app.learning import OnProgress, one_at_a_time
from playbill.app.wiring import Wiring
from playbill.core import InvalidInput, NotFound, nearest_name

if TYPE_CHECKING:
    from playbill.training import Dataset, Histories
    from playbill.training.off_policy_report import Contender
    from playbill.training.searching import SearchAsked


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation is asked for; each protocol reads what concerns it."""

    day_offset_h: int
    rows_from_ms: int | None
    seeds: int = 1
    """Leave-one-out and cold-start: trainings, each with its seed."""
    baselines: bool = True
    """Quick and rolling: teach baselines on the same rows."""
    ablations: bool = False
    """Rolling: teach rankers that do without a part each."""
    shares: tuple[float, ...] = ()
    """Off-policy: shares of places given to chance."""
    against: str | None = None
    """Off-policy: digest of a bundle to stand beside the champion."""


def evaluate(
    wiring: Wiring, protocol: str, asked: Asked, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Return a protocol's report.

    Raises:
        NotFound: there is no champion, no such bundle, or no data set to judge on.
        InvalidInput: there is no such protocol; too few days or viewers, or nothing unseen.
    """
    if protocol not in PROTOCOLS:
        raise InvalidInput(
            f"there is no protocol {protocol!r}." + nearest_name(protocol, PROTOCOLS),
            field="protocol",
            hint=f"protocols are {', '.join(PROTOCOLS)}",
        )
    return PROTOCOLS[protocol](wiring, asked, on_progress)


def _quick(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import Dataset, evaluate_bundle

    dataset = Dataset.open(wiring.layout.tables)
    store = wiring.bundles()
    digest = _champion(wiring)
    report = evaluate_bundle(
        dataset,
        store.path(digest),
        store.manifest(digest),
        wiring.settings,
        asked.day_offset_h,
        baselines=asked.baselines,
        on_progress=on_progress,
    )
    return {"bundle": digest, **report}


def _rolling(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import evaluate_rolling

    return evaluate_rolling(
        _built(wiring, on_progress),
        wiring.settings,
        asked.day_offset_h,
        on_progress,
        rows_from_ms=asked.rows_from_ms,
        baselines=asked.baselines,
        ablations=asked.ablations,
    )


def _staleness(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import evaluate_staleness

    return evaluate_staleness(
        _built(wiring, on_progress),
        wiring.settings,
        asked.day_offset_h,
        on_progress,
        rows_from_ms=asked.rows_from_ms,
    )


def _leave_one_out(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import evaluate_leave_one_out

    serving = wiring.settings.serving
    return evaluate_leave_one_out(
        _built(wiring, on_progress),
        wiring.settings,
        on_progress,
        seeds=asked.seeds,
        quotas=(serving.ann_quota, serving.next_quota),
    )


def _cold_start(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import evaluate_cold_start

    return evaluate_cold_start(
        _built(wiring, on_progress), wiring.settings, on_progress, seeds=asked.seeds
    )


def _off_policy(wiring: Wiring, asked: Asked, on_progress: OnProgress | None) -> dict[str, Any]:
    from playbill.training import Dataset, evaluate_off_policy

    dataset = Dataset.open(wiring.layout.tables)
    digests = [_champion(wiring), *([asked.against] if asked.against else [])]
    histories = dataset.histories()
    contenders = {digest: _contender(wiring, digest, histories) for digest in digests}
    return evaluate_off_policy(dataset, contenders, wiring.settings, asked.shares, on_progress)


def _contender(wiring: Wiring, digest: str, histories: "Histories") -> "Contender":
    from playbill.training import Contender, RowScorer

    store = wiring.bundles()
    ranker = RowScorer.load(store.path(digest), histories, wiring.settings.training.threads)
    seen_until_ms = int(store.manifest(digest).data["validate_until_ms"])
    return Contender(ranker, seen_until_ms)


def search_recipe(
    wiring: Wiring, asked: "SearchAsked", on_progress: OnProgress | None
) -> dict[str, Any]:
    """Return what was tried to train the ranker better, and the best of it.

    Raises:
        InvalidInput: the rows are unfit to train on.
        Conflict: a training runs on this home.
        DependencyUnavailable: Optuna is not installed, or the history cannot be written.
    """
    from playbill.training.searching import search

    dataset = _built(wiring, on_progress)
    history = wiring.layout.tables / "search.sqlite"
    return search(dataset, wiring.settings, history, asked, on_progress)


def _champion(wiring: Wiring) -> str:
    digest = wiring.bundles().champion()
    if digest is None:
        raise NotFound("no bundle was promoted yet", hint="playbill train")
    return digest


def _built(wiring: Wiring, on_progress: OnProgress | None) -> "Dataset":
    """Return the home's data set, built now where there is none."""
    from playbill.training import Dataset, build_dataset

    tables = wiring.layout.tables
    try:
        return Dataset.open(tables)
    except NotFound:
        with one_at_a_time(wiring.layout.bundles):
            build_dataset(wiring.log(), wiring.settings, tables, on_progress=on_progress)
        return Dataset.open(tables)


PROTOCOLS: dict[str, Callable[[Wiring, Asked, OnProgress | None], dict[str, Any]]] = {
    "quick": _quick,
    "rolling": _rolling,
    "staleness": _staleness,
    "leave-one-out": _leave_one_out,
    "cold-start": _cold_start,
    "off-policy": _off_policy,
}
"""The champion on rows it never saw; daily retraining, and what days without it cost; retrieval
without each viewer's last videos, and of what nobody had met; policies that did not serve."""
