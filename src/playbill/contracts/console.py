"""What the console may ask of the server it is mounted in."""

from typing import Any, Protocol

import msgspec

from playbill.contracts.events import Event, EventsReply
from playbill.contracts.feed import FeedReply, FeedRequest
from playbill.contracts.videos import VideoView


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the deployment is doing right now, over all its processes."""

    at_ms: int
    """When this was read."""
    epoch: int
    """The last epoch folded into item state."""
    epoch_age_ms: int
    """Since the last epoch closed; grows while nothing happens."""
    epoch_lag_ms: int
    """From an event's arrival to the epoch that folded it, last epoch."""
    videos: int
    """Visible ones."""
    authors: int
    """Authors of known videos."""
    topics: int
    """Topics of known videos."""
    bundle: str | None
    """Digest of the bundle that ranks, if one does."""
    bundle_created_at_ms: int | None
    """When that bundle was sealed."""
    requests_per_s: float
    """Feeds answered, over the last seconds."""
    events_per_s: float
    """Events accepted, over the last seconds."""
    latency_p50_ms: float | None
    """Half of the feeds of the last seconds took no longer; None when there was none."""
    latency_p95_ms: float | None
    """19 of 20 feeds of the last seconds took no longer; None when there was none."""
    tiers: dict[str, int]
    """Replies by tier, since the start."""
    workers: int
    """Processes that serve feeds and whose heart beats."""
    restarts: int
    """Processes replaced by the supervisor, since the start."""


class TopicShare(msgspec.Struct, frozen=True, kw_only=True):
    """What a viewer's row says of one topic or author."""

    name: str
    """The topic, or the author's id."""
    impressions: float
    """How often it was shown, decayed."""
    long_views: float
    """How often it was watched at length, decayed."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the system knows of one viewer, for the person who looks."""

    known: bool
    """False where no row exists yet."""
    region: str | None
    """Home region, if the platform told it."""
    impressions: float
    """Decayed."""
    clicks: float
    """Decayed."""
    topics: list[TopicShare]
    """Strongest first."""
    authors: list[TopicShare]
    """Strongest first."""
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
