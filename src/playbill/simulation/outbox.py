"""Events on their way to the collector, in batches."""

from dataclasses import dataclass, field

import numpy as np

from playbill.contracts import Event, EventType, FeedReply
from playbill.core import Clock, DependencyUnavailable, InvalidInput
from playbill.simulation.client import FeedService
from playbill.simulation.columns import Ints
from playbill.simulation.report import Tally
from playbill.simulation.responses import Outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One viewer's stay, and what every event of it says."""

    user: int
    user_id: str
    session_id: str
    surface: str
    region: str


@dataclass(slots=True)
class Outbox:
    """Hold the events of one thread until there are enough of them or they are old enough.

    What cannot be posted after the client's own tries is dropped and counted: a viewer's phone
    would do no better.
    """

    client: FeedService
    clock: Clock
    tally: Tally
    batch_events: int
    flush_s: float
    _events: list[Event] = field(default_factory=list)
    _oldest_s: float = 0.0

    def add(self, events: list[Event]) -> None:
        """Take events, and post when it is time."""
        now_s = self.clock.elapsed_s()
        if not self._events:
            self._oldest_s = now_s
        self._events += events
        if len(self._events) >= self.batch_events or now_s - self._oldest_s >= self.flush_s:
            self.flush()

    def flush(self) -> None:
        """Post all that is held, in batches."""
        held, self._events = self._events, []
        for first in range(0, len(held), self.batch_events):
            batch = held[first : first + self.batch_events]
            try:
                reply = self.client.post_events(batch)
            except (InvalidInput, DependencyUnavailable) as error:
                self.tally.errors[error.code] += 1
                self.tally.events_lost += len(batch)
            else:
                self.tally.events_posted += len(batch)
                self.tally.events_rejected += len(reply.rejected)


def events_of(
    visit: Visit, reply: FeedReply, places: Ints, outcomes: Outcomes, at_ms: int
) -> list[Event]:
    """Return the events of one feed, in order of position and then of what a person does first.

    Ids follow from the request, so that a batch sent twice counts once.

    Args:
        visit: who and where.
        reply: the feed.
        places: (C,) rows of ``reply.items`` that ``outcomes`` speaks of.
        outcomes: (C,) what was done.
        at_ms: the instant all of it carries.
    """
    actions = (
        (EventType.CLICK, outcomes.clicked),
        (EventType.WATCH, outcomes.clicked),
        (EventType.LIKE, outcomes.liked),
        (EventType.SHARE, outcomes.shared),
        (EventType.FOLLOW, outcomes.followed),
        (EventType.HIDE, outcomes.hidden),
        (EventType.REPORT, outcomes.reported),
    )
    touched = outcomes.clicked | outcomes.hidden | outcomes.reported
    events = []
    for row in np.flatnonzero(touched).tolist():
        item = reply.items[int(places[row])]
        for kind, done in actions:
            if not done[row]:
                continue
            events.append(
                Event(
                    event_id=f"{reply.request_id}-{item.position}-{kind.value}",
                    type=kind,
                    user_id=visit.user_id,
                    at=at_ms,
                    video_id=item.video_id,
                    request_id=reply.request_id,
                    position=item.position,
                    session_id=visit.session_id,
                    surface=visit.surface,
                    region=visit.region,
                    watch_ms=int(outcomes.watch_ms[row]) if kind is EventType.WATCH else None,
                )
            )
    return events
