"""What came of a run, counted while it runs and frozen for whoever reads it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playbill.simulation.columns import Floats, Ints
from playbill.simulation.responses import Outcomes

_LOWEST_MS = 0.01
_GROWTH = 1.02
_BUCKETS = 920


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run. A rate is per shown video and None when nothing was shown."""

    duration_s: float
    feeds: int
    """Replies received, empty ones included."""
    feeds_per_s: float | None
    impressions: int
    """Videos of this world in those replies."""
    click_rate: float | None
    long_view_rate: float | None
    like_rate: float | None
    hide_rate: float | None
    """Hides and reports."""
    utility_per_feed: float | None
    """Mean true expected utility; compare with ``World.policy_value``."""
    tiers: dict[str, int]
    """Replies by tier."""
    latency_p50_ms: float | None
    """Of a feed as the client saw it, retries included; exact to 1 in 100."""
    latency_p95_ms: float | None
    distinct_videos: int
    repeat_rate: float | None
    """Share of shown videos that were among the last 64 shown to the same viewer."""
    empty_feeds: int
    strangers: int
    """Shown videos that this world did not make; nobody reacts to them."""
    events_posted: int
    events_rejected: int
    events_lost: int
    """In batches that could not be posted."""
    videos_posted: int
    """Arrivals posted during the run."""
    errors: dict[str, int]
    """Failed calls by error code."""


class Tally:
    """Counts of one thread. Only that thread writes; a reader may see a feed half counted."""

    def __init__(self, videos: int) -> None:
        self.feeds = 0
        self.empty_feeds = 0
        self.impressions = 0
        self.strangers = 0
        self.clicks = 0
        self.long_views = 0
        self.likes = 0
        self.negatives = 0
        self.repeats = 0
        self.utility = 0.0
        self.tiers: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.latencies = np.zeros(_BUCKETS, dtype=np.int64)
        self.shown = np.zeros(videos, dtype=np.bool_)
        self.events_posted = 0
        self.events_rejected = 0
        self.events_lost = 0
        self.videos_posted = 0

    def count_reply(self, tier: str, latency_ms: float, items: int) -> None:
        """Count one feed reply."""
        self.feeds += 1
        self.empty_feeds += items == 0
        self.tiers[tier] += 1
        self.latencies[_bucket(latency_ms)] += 1

    def count_response(self, videos: Ints, outcomes: Outcomes, utility: float) -> None:
        """Count what a viewer did with (C,) videos, and their true expected utility in all."""
        self.impressions += videos.size
        self.shown[videos] = True
        self.clicks += int(outcomes.clicked.sum())
        self.long_views += int(outcomes.long_viewed.sum())
        self.likes += int(outcomes.liked.sum())
        self.negatives += int((outcomes.hidden | outcomes.reported).sum())
        self.utility += utility


def make_report(tallies: Sequence[Tally], duration_s: float) -> Report:
    """Return the sum of the threads' counts."""
    feeds = sum(tally.feeds for tally in tallies)
    shown = sum(tally.impressions for tally in tallies)
    latencies = np.sum([tally.latencies for tally in tallies], axis=0)
    return Report(
        duration_s=duration_s,
        feeds=feeds,
        feeds_per_s=_ratio(feeds, duration_s),
        impressions=shown,
        click_rate=_ratio(sum(tally.clicks for tally in tallies), shown),
        long_view_rate=_ratio(sum(tally.long_views for tally in tallies), shown),
        like_rate=_ratio(sum(tally.likes for tally in tallies), shown),
        hide_rate=_ratio(sum(tally.negatives for tally in tallies), shown),
        utility_per_feed=_ratio(sum(tally.utility for tally in tallies), feeds),
        tiers=_summed([tally.tiers for tally in tallies]),
        latency_p50_ms=_quantile_ms(latencies, 0.50),
        latency_p95_ms=_quantile_ms(latencies, 0.95),
        distinct_videos=int(np.any([tally.shown for tally in tallies], axis=0).sum()),
        repeat_rate=_ratio(sum(tally.repeats for tally in tallies), shown),
        empty_feeds=sum(tally.empty_feeds for tally in tallies),
        strangers=sum(tally.strangers for tally in tallies),
        events_posted=sum(tally.events_posted for tally in tallies),
        events_rejected=sum(tally.events_rejected for tally in tallies),
        events_lost=sum(tally.events_lost for tally in tallies),
        videos_posted=sum(tally.videos_posted for tally in tallies),
        errors=_summed([tally.errors for tally in tallies]),
    )


def _summed(counters: Sequence[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter.copy())
    return dict(sorted(total.items()))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _bucket(latency_ms: float) -> int:
    """Return the place of a latency in buckets that grow by one part in fifty."""
    steps = math.log(max(latency_ms, _LOWEST_MS) / _LOWEST_MS) / math.log(_GROWTH)
    return min(int(steps), _BUCKETS - 1)


def _quantile_ms(latencies: Ints, share: float) -> float | None:
    """Return the middle of the bucket that holds a quantile, None when there is none."""
    total = int(latencies.sum())
    if total == 0:
        return None
    cumulative: Floats = np.cumsum(latencies) / total
    bucket = int(np.searchsorted(cumulative, share, side="left"))
    return float(_LOWEST_MS * _GROWTH ** (bucket + 0.5))
