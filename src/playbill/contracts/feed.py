"""The feed: what is asked and what comes back."""

import enum
from typing import Annotated

import msgspec

from playbill.contracts.events import Name

MAX_FEED_SIZE = 50
MAX_EXCLUDE = 500


class Priority(enum.StrEnum):
    """How a request is treated while others wait."""

    INTERACTIVE = "interactive"
    """Somebody looks at the screen: always answered."""
    PREFETCH = "prefetch"
    """Nobody waits for it: it gives way first, and is refused under pressure."""


class Tier(enum.StrEnum):
    """How good a reply is, best first. The reply always says which."""

    FULL = "full"
    """Every stage ran, the heavy scorer included."""
    LIGHT = "light"
    """Personal, ordered by the light scorer only."""
    CACHED = "cached"
    """The viewer's last good list, still visible videos only."""
    POPULAR = "popular"
    """The region's list, the same for everybody."""
    STATIC = "static"
    """The safe list on disk; empty when even that is missing."""


TIER_CODES: dict[Tier, int] = {tier: code for code, tier in enumerate(Tier)}


class FeedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One viewer asks for the next page of one surface."""

    user_id: Name
    """Who asks; any id is answered, also one never seen."""
    session_id: Name | None = None
    """The visit."""
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_FEED_SIZE)] = 20
    """How many videos."""
    surface: Name | None = None
    """The screen, one of the declared surfaces; the first one when absent."""
    region: Name | None = None
    """Where the viewer is; the viewer's home region, else the first declared, when absent."""
    cursor: Annotated[str, msgspec.Meta(max_length=4_000)] | None = None
    """The ``cursor`` of the page before; good for the same viewer, surface and session."""
    exclude: Annotated[list[Name], msgspec.Meta(max_length=MAX_EXCLUDE)] = []
    """Videos not to show."""
    personalised: bool = True
    """False: a feed that nothing known about the viewer can change."""
    priority: Priority = Priority.INTERACTIVE
    """``prefetch`` where nobody waits for the reply; refused with 503 under pressure."""


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One video of a feed."""

    video_id: str
    """The platform's id."""
    position: int
    """From 0."""
    score: float
    """Expected utility; comparable within one reply only."""
    source: str
    """Which candidate source found it."""
    propensity: float
    """The probability with which it got its place by chance; 1 when chance had no part."""
    because: str
    """One sentence for people."""


class FeedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A feed, and how it came about."""

    request_id: str
    """Send it back with every event on these videos."""
    served_at: int
    """Milliseconds since 1970."""
    tier: Tier
    """How good this reply is."""
    reasons: list[str]
    """Why this tier, and everything else that was not as usual; empty on a good day."""
    bundle: str | None
    """Digest of the bundle that ranked it, if one did."""
    items: list[FeedItem]
    """In the order in which they are to be shown."""
    cursor: str | None
    """Ask again with it for the next page; a ``static`` reply hands back the one it was sent."""
