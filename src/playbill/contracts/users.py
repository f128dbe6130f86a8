"""What the platform tells about a viewer, beyond what the viewer does."""

from typing import Annotated

import msgspec

from playbill.contracts.events import Name

MAX_FOLLOWS = 16
MAX_INTERESTS = 8


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of one viewer. Fields left out stay as they were."""

    user_id: Name
    """Replaced by a keyed pseudonym before anything is stored."""
    region: Name | None = None
    """Home region, one of the declared ones."""
    language: Annotated[str, msgspec.Meta(min_length=2, max_length=16)] | None = None
    """BCP 47 tag."""
    age: Annotated[int, msgspec.Meta(ge=0, le=150)] | None = None
    """In years; videos rated above it are never shown. Unknown counts as adult."""
    follows: Annotated[list[Name], msgspec.Meta(max_length=MAX_FOLLOWS)] | None = None
    """Authors followed, most recent last; replaces the list."""
    interests: Annotated[list[Name], msgspec.Meta(max_length=MAX_INTERESTS)] | None = None
    """Topics chosen at sign-up; they stand in for a first few watches."""


class StoredUser(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A user's facts as the log keeps them: a pseudonym and no name."""

    user: bytes
    """The pseudonym, 16 bytes."""
    at_ms: int
    """When the platform told it."""
    region: str | None
    """None leaves it as it was."""
    language: str | None
    """None leaves it as it was."""
    age: int | None
    """None leaves it as it was."""
    follows: list[str] | None
    """None leaves the list as it was."""
    interests: list[str] | None
    """None leaves the list as it was."""


class UsersReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many users' facts are durable in the log."""

    accepted: int
    """Durable in the log when this reply is sent."""
