"""What is known of a viewer, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass

from playbill.console.art import hue_of
from playbill.contracts import Profile, TopicShare, VideoView

MAX_BARS = 6
MAX_RECENT = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One topic or author: how often shown, how often watched for long; both decayed."""

    name: str
    hue: int
    shown: str
    watched: str
    shown_width: float
    """Of the widest bar, in percent."""
    watched_width: float


@dataclass(frozen=True, slots=True)
class Viewer:
    """The panel's content."""

    user_id: str
    known: bool
    region: str | None
    impressions: str
    clicks: str
    topics: tuple[Bar, ...]
    authors: tuple[Bar, ...]
    recent: tuple[VideoView, ...]


def viewer_of(user_id: str, profile: Profile) -> Viewer:
    """Return what the panel shows of a profile."""
    return Viewer(
        user_id=user_id,
        known=profile.known,
        region=profile.region,
        impressions=_count(profile.impressions),
        clicks=_count(profile.clicks),
        topics=_bars(profile.topics),
        authors=_bars(profile.authors),
        recent=tuple(profile.recent[:MAX_RECENT]),
    )


def _bars(shares: Sequence[TopicShare]) -> tuple[Bar, ...]:
    top = sorted(shares, key=lambda share: (-share.long_views, -share.impressions, share.name))
    top = top[:MAX_BARS]
    widest = max((max(share.impressions, share.long_views) for share in top), default=0.0) or 1.0
    return tuple(
        Bar(
            name=share.name,
            hue=hue_of(share.name),
            shown=_count(share.impressions),
            watched=_count(share.long_views),
            shown_width=_width(share.impressions, widest),
            watched_width=_width(share.long_views, widest),
        )
        for share in top
    )


def _width(value: float, widest: float) -> float:
    return round(max(100 * value / widest, 0.0), 1)


def _count(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
