"""Many viewers' feeds in one request."""

from typing import Annotated, Any

import msgspec

from playbill.contracts.events import Name
from playbill.contracts.feed import MAX_EXCLUDE, MAX_FEED_SIZE, FeedReply
from playbill.contracts.problems import Problem

MAX_FEEDS_PER_BATCH = 500


class FeedsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feeds of several viewers. What an entry does not say itself is said here."""

    feeds: Annotated[list[Any], msgspec.Meta(min_length=1, max_length=MAX_FEEDS_PER_BATCH)]
    """Each a ``user_id``, or an object as ``POST /v1/feed`` takes it. A viewer who is named twice
    gets two feeds, neither of which knows of the other."""
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_FEED_SIZE)] = 20
    """How many videos, where an entry does not say."""
    surface: Name | None = None
    """The screen, where an entry does not say."""
    region: Name | None = None
    """Where viewers are, where an entry does not say."""
    exclude: Annotated[list[Name], msgspec.Meta(max_length=MAX_EXCLUDE)] = []
    """Videos not to show, where an entry does not say."""
    personalised: bool = True
    """As in a feed request, where an entry does not say."""
    record: bool = False
    """False: the feeds are shown later, if at all, and nothing is recorded now; report an
    ``impression`` with the entry's ``request_id`` when a video is shown. True: they count as shown
    now."""


class FeedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one entry: a feed or a problem."""

    user_id: str | None
    """As the entry said; null where it did not."""
    feed: FeedReply | None = None
    """With its tier and its reasons, as from ``POST /v1/feed``."""
    problem: Problem | None = None
    """Why there is no feed."""


class FeedsReply(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome for each entry."""

    feeds: list[FeedOutcome]
    """In the order in which they were asked for."""
    answered: int
    """How many of them are feeds."""
    left_out: int
    """How many were not begun, for lack of time or under pressure; send those again."""
