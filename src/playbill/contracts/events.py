"""What people did, as the platform sends it."""

import enum
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
"""An id that the platform chose: 1 to 128 characters."""

LATEST_AT_MS = 4_102_444_800_000
"""1 January 2100, UTC: the latest instant that anything may carry."""

Instant = (
    Annotated[int, msgspec.Meta(ge=0, le=LATEST_AT_MS)] | Annotated[datetime, msgspec.Meta(tz=True)]
)
"""Milliseconds since 1970, or an RFC 3339 text with its zone."""

MAX_WATCH_MS = 86_400_000
MAX_EVENTS_PER_BATCH = 1_000

MAX_REGIONS = 32
"""Regions that can be declared: each is a bit of a video's record."""
MAX_SURFACES = 64
"""Surfaces that can be declared."""


class EventType(enum.StrEnum):
    """What a viewer can do to a video, an author or the search box."""

    IMPRESSION = "impression"
    CLICK = "click"
    WATCH = "watch"
    LIKE = "like"
    SHARE = "share"
    COMMENT = "comment"
    FOLLOW = "follow"
    SKIP = "skip"
    HIDE = "hide"
    REPORT = "report"
    SEARCH = "search"


EVENT_CODES: dict[EventType, int] = {kind: code for code, kind in enumerate(EventType, start=1)}
"""The byte that stands for each type in the log; append only, never renumber."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing one viewer did at one instant. Fields not declared here are dropped."""

    event_id: Name
    """Unique for this fact: sent twice within a day, it counts once."""
    type: EventType
    """What happened."""
    user_id: Name
    """Who did it; replaced by a keyed pseudonym before anything is stored."""
    at: Instant
    """When it happened, by the viewer's clock."""
    video_id: Name | None = None
    """The video it happened to; needed by every type but follow and search."""
    author_id: Name | None = None
    """The author followed, when no video says it."""
    request_id: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    """The feed that showed the video; joins the outcome to its impression. 16 hex digits: those of
    our replies begin with 0 to 7; for feeds of its own a platform makes ids that begin with 8 to f.
    """
    position: Annotated[int, msgspec.Meta(ge=0, le=9_999)] | None = None
    """Where in the feed it stood, from 0."""
    session_id: Name | None = None
    """The visit, when the client knows it."""
    surface: Name | None = None
    """The screen, one of the declared surfaces."""
    region: Name | None = None
    """Where the viewer is, one of the declared regions."""
    watch_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_WATCH_MS)] | None = None
    """For watch: how long it played, in milliseconds."""
    long_view: bool | None = None
    """For watch: the platform's own verdict; without it the length decides."""
    query: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    """For search: accepted so that clients need not strip it, and never stored."""


class RejectedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Why one event of a batch was not taken."""

    index: int
    """Its place in the batch, from 0."""
    code: str
    """Stable name of the reason."""
    message: str
    """What was wrong and what was expected."""
    field: str | None = None
    """The offending field."""
    hint: str = ""
    """What to do about it, where the message does not say it."""


class EventsReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: every event is in exactly one of the three counts."""

    accepted: int
    """Durable in the log when this reply is sent."""
    duplicates: int
    """Repeated an event_id of the same batch; the first one was taken."""
    rejected: list[RejectedEvent]
    """Not taken; kept in the dead-letter partition, where they can be repaired."""
