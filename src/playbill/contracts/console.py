"""What the console may ask of the server it is mounted in."""

from typing import Any, Protocol

import msgspec

from playbill.contracts.events import Event, EventsReply
from playbill.contracts.feed import FeedReply, FeedRequest
from playbill.contracts.videos import VideoView


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the deployment is doing right now, over all its processes."""

    at_ms: int
    epoch: int
    epoch_age_ms: int
    """Since the last epoch closed; grows while nothing happens."""
    epoch_lag_ms: int
    """From an event's arrival to the epoch that folded it, last epoch."""
    videos: int
    """Visible ones."""
    authors: int
    topics: int
    bundle: str | None
    bundle_created_at_ms: int | None
    requests_per_s: float
    events_per_s: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    tiers: dict[str, int]
    """Replies by tier, since the start."""
    workers: int
    """Processes whose heart beats."""
    restarts: int
    """Processes replaced by the supervisor, since the start."""


class TopicShare(msgspec.Struct, frozen=True, kw_only=True):
    """What a viewer's row says of one topic or author."""

    name: str
    impressions: float
    long_views: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the system knows of one viewer, for the person who looks."""

    known: bool
    region: str | None
    impressions: float
    """Decayed."""
    clicks: float
    topics: list[TopicShare]
    authors: list[TopicShare]
    recent: list[VideoView]
    """Last acted upon first."""


class ConsoleBackend(Protocol):
    """The server, as its console sees it. Errors are ``PlaybillError``."""

    async def feed(self, request: FeedRequest) -> FeedReply:
        """Answer like ``GET /v1/feed``, logged and counted."""
        ...

    async def trace(self, request: FeedRequest) -> dict[str, Any]:
        """Answer like ``POST /v1/feed/preview``: the reply and what each stage did, unlogged."""
        ...

    async def act(self, events: list[Event]) -> EventsReply:
        """Take events like ``POST /v1/events``."""
        ...

    def videos(self, video_ids: list[str]) -> list[VideoView | None]:
        """Return catalogue entries in order, None for an unknown one."""
        ...

    def profile(self, user_id: str) -> Profile:
        """Return what is known of a viewer."""
        ...

    def status(self) -> Status:
        """Return how the deployment is doing."""
        ...

    def example_users(self) -> list[str]:
        """Return the ids that the settings offer to pick from."""
        ...
