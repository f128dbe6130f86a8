"""The catalogue, as the platform sends it."""

from typing import Annotated

import msgspec

from playbill.contracts.events import MAX_REGIONS, Instant, Name

MAX_TITLE = 300
"""Characters of a title."""
MAX_TOPICS = 4
MAX_VIDEOS_PER_BATCH = 1_000


class Video(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One video. Posting it again replaces it; the first ``created_at`` stays."""

    video_id: Name
    """The platform's id."""
    author_id: Name
    """Who made it."""
    title: Annotated[str, msgspec.Meta(max_length=MAX_TITLE)] = ""
    """What people read. Its words say what the video is about; it is never used as identity."""
    topics: Annotated[list[Name], msgspec.Meta(max_length=MAX_TOPICS)] = []
    """What it is about, most telling first."""
    language: Annotated[str, msgspec.Meta(min_length=2, max_length=16)] | None = None
    """BCP 47 tag of its speech or text."""
    duration_ms: Annotated[int, msgspec.Meta(ge=1, le=86_400_000)]
    """How long it plays."""
    regions: Annotated[list[Name], msgspec.Meta(max_length=MAX_REGIONS)] = []
    """Where it may be shown; empty means everywhere."""
    age_rating: Annotated[int, msgspec.Meta(ge=0, le=21)] = 0
    """The youngest age it may be shown to."""
    created_at: Instant | None = None
    """When it was published; the instant it was posted when absent."""


class VideoView(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue holds of one video."""

    video_id: str
    """The platform's id."""
    author_id: str
    """Who made it."""
    title: str
    """What people read."""
    topics: list[str]
    """Most telling first."""
    language: str | None
    """BCP 47 tag."""
    duration_ms: int
    """How long it plays."""
    regions: list[str]
    """Where it may be shown; empty means everywhere."""
    age_rating: int
    """The youngest age it may be shown to."""
    created_at_ms: int
    """When it was published."""
    visible: bool
    """False once it was taken down."""


class VideosReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many videos are durable in the log and eligible with the next epoch."""

    accepted: int
    """Durable in the log when this reply is sent."""


class StoredVideo(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A video as the log and the catalogue keep it, with every default resolved."""

    key: int
    """``key64`` of the id."""
    video_id: str
    """The platform's id."""
    author_id: str
    """Who made it."""
    title: str
    """What people read."""
    topics: list[str]
    """Most telling first, each once."""
    language: str | None
    """BCP 47 tag."""
    duration_ms: int
    """How long it plays."""
    regions: list[str]
    """Where it may be shown; empty means everywhere."""
    age_rating: int
    """The youngest age it may be shown to."""
    created_at_ms: int
    """When it was published, never after it was posted."""
    posted_at_ms: int
    """When the platform posted it."""
    visible: bool = True
    """False once it was taken down."""


class Takedown(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A video leaves every feed with the epoch that folds this."""

    key: int
    """``key64`` of the video's id."""
    at_ms: int
    """When the platform asked for it."""
