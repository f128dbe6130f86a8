"""Bringing a past in: what an importer yields and what takes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from playbill.contracts.events import RejectedEvent

Fields = dict[str, Any]
"""One JSON object, as a client would have sent it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a history needs the settings to say.

    ``training`` holds values of the settings of that name, taken over where the home has none of
    its own: where days begin, for instance, and from when on the history's times are real.
    """

    regions: tuple[str, ...]
    surfaces: tuple[str, ...]
    training: Mapping[str, Any] = field(default_factory=dict)


class HistorySource(Protocol):
    """A foreign data set, read as if its platform had called us."""

    def declared(self) -> Declared:
        """Return the regions and surfaces that occur."""
        ...

    def videos(self) -> Iterator[Fields]:
        """Yield the catalogue as bodies of ``POST /v1/videos``."""
        ...

    def users(self) -> Iterator[Fields]:
        """Yield viewers as bodies of ``POST /v1/users``."""
        ...

    def events(self) -> Iterator[tuple[int, Fields]]:
        """Yield (instant it would have been received, in ms; event), ordered by that instant."""
        ...


class HistorySink(Protocol):
    """Takes a history in order of time. Everything passes admission like live traffic."""

    def videos(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        """Store videos as posted at an instant; return those refused, by index.

        Codes are those of ``REJECTIONS``, and ``item_capacity`` where there is no room.
        """
        ...

    def users(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        """Store viewers' facts; return those refused, by index."""
        ...

    def events(self, bodies: Sequence[Fields], received_at_ms: int) -> list[RejectedEvent]:
        """Store one window of events as one epoch; return those refused, by index.

        Raises:
            InvalidInput: the window lies before what the log already holds.
        """
        ...
