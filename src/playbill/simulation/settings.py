"""The size and the pace of a world."""

from typing import Annotated

import msgspec

from playbill.contracts import LabelSettings, ValueSettings
from playbill.core import InvalidInput

Positive = Annotated[float, msgspec.Meta(gt=0.0, le=1e7)]


class WorldSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a world follows from, besides the instant it starts at."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 7
    """Every random choice follows from it."""
    videos: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 20_000
    """In the catalogue when the world starts."""
    arrivals: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 4_000
    """New videos that the world has in store for the time after its start."""
    arrivals_per_day: Positive = 1_000.0
    """New videos in one world day, until ``arrivals`` is used up."""
    users: Annotated[int, msgspec.Meta(ge=10, le=5_000_000)] = 50_000
    """Viewers."""
    authors: Annotated[int, msgspec.Meta(ge=10, le=200_000)] = 2_000
    """Authors."""
    catalogue_days: Positive = 14.0
    """The first catalogue was published during this many real days before the start."""
    day_s: Positive = 86_400.0
    """Wall seconds that one world day takes; smaller means a faster world."""
    feed_size_min: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    """Smallest feed a viewer's screen asks for."""
    feed_size_max: Annotated[int, msgspec.Meta(ge=1, le=50)] = 20
    """Largest feed a viewer's screen asks for."""
    value: ValueSettings = ValueSettings()
    """Utility of one action; give it what the server has, so that both speak of the same."""
    labels: LabelSettings = LabelSettings()
    """What counts as a long view; give it what the server has."""


def checked(settings: WorldSettings) -> WorldSettings:
    """Return the settings, every range verified.

    Raises:
        InvalidInput: a field leaves its range, or the feed sizes are the wrong way round.
    """
    try:
        msgspec.convert(msgspec.to_builtins(settings), WorldSettings)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"world settings: {error}") from None
    if settings.feed_size_min > settings.feed_size_max:
        raise InvalidInput(
            f"feed_size_min is {settings.feed_size_min} and feed_size_max "
            f"{settings.feed_size_max}; the first must not exceed the second",
            field="feed_size_min",
        )
    return settings
