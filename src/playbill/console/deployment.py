"""The deployment strip: how the server is doing, in figures and in one sentence."""

from dataclasses import dataclass

from playbill.console.wording import age_words, bundle_words, rate_words, wait_words
from playbill.contracts import Status, Tier

_SLOW_LAG_MS = 5_000
_WELL = "Serving normally."


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the strip, with what it is and what goes with it."""

    label: str
    value: str
    note: str = ""
    full: str = ""
    """The whole of a value that is shown shortened."""


@dataclass(frozen=True, slots=True)
class TierShare:
    """How many replies one tier gave, and where its part of the bar starts."""

    tier: str
    percent: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """The strip's content."""

    requests: Figure
    latency: Figure
    figures: tuple[Figure, ...]
    tiers: tuple[TierShare, ...]
    health: str
    is_well: bool
    requests_per_s: float
    latency_p95_ms: float | None


def deployment_of(status: Status) -> Deployment:
    """Return what the strip shows of a status."""
    health = _health(status)
    p95, p50 = status.latency_p95_ms, status.latency_p50_ms
    return Deployment(
        requests=Figure(
            "Requests per second",
            rate_words(status.requests_per_s),
            note=f"{rate_words(status.events_per_s)} events/s",
        ),
        latency=Figure(
            "Reply time, p95",
            "none yet" if p95 is None else wait_words(p95),
            note="" if p50 is None else f"median {wait_words(p50)}",
        ),
        figures=(_bundle(status), _epoch(status), _videos(status), _workers(status)),
        tiers=_tier_shares(status.tiers),
        health=health,
        is_well=health == _WELL,
        requests_per_s=status.requests_per_s,
        latency_p95_ms=p95,
    )


def _bundle(status: Status) -> Figure:
    if status.bundle is None:
        return Figure("Bundle", "none", note="no model ranks yet")
    created = status.bundle_created_at_ms
    note = "" if created is None else f"made {age_words(status.at_ms - created)} ago"
    return Figure("Bundle", bundle_words(status.bundle), note=note, full=status.bundle)


def _epoch(status: Status) -> Figure:
    return Figure(
        "Epoch",
        f"{status.epoch:,}",
        note=f"{age_words(status.epoch_age_ms)} old, lag {wait_words(status.epoch_lag_ms)}",
    )


def _videos(status: Status) -> Figure:
    return Figure(
        "Videos", f"{status.videos:,}", note=f"{status.authors:,} authors, {status.topics:,} topics"
    )


def _workers(status: Status) -> Figure:
    restarts = status.restarts
    note = f"{restarts:,} restart{'' if restarts == 1 else 's'}" if restarts else "no restarts"
    return Figure("Workers", f"{status.workers:,}", note=note)


def _health(status: Status) -> str:
    """Return one sentence that changes only when something does, because it is read aloud."""
    if status.workers < 1:
        return "No worker answers."
    if status.epoch_lag_ms > _SLOW_LAG_MS:
        return "Events take more than 5 seconds to be felt."
    if status.bundle is None:
        return "Serving without a model."
    return _WELL


def _tier_shares(tiers: dict[str, int]) -> tuple[TierShare, ...]:
    total = sum(tiers.values())
    known = [tier.value for tier in Tier]
    shares: list[TierShare] = []
    start = 0.0
    for tier in known:
        if count := tiers.get(tier, 0):
            width = 100 * count / total
            shares.append(TierShare(tier, _share_words(width), round(start, 2), round(width, 2)))
            start += width
    return tuple(shares)


def _share_words(percent: float) -> str:
    """Return a share; one of a few in a million is not written as none."""
    return "<0.1 %" if percent < 0.1 else f"{percent:.1f} %" if percent < 99.95 else "100 %"
