"""One thread of a closed loop: viewers come, ask, look, act and leave."""

from dataclasses import dataclass, replace

import numpy as np

from playbill.contracts import FeedReply
from playbill.core import SECOND_MS, Clock, DependencyUnavailable, InvalidInput
from playbill.simulation.audience import Audience
from playbill.simulation.client import FeedService
from playbill.simulation.memory import Following, RecentlyShown
from playbill.simulation.outbox import Outbox, Visit, events_of
from playbill.simulation.pace import Pace
from playbill.simulation.publishing import Arrivals
from playbill.simulation.regions import REGION_NAMES
from playbill.simulation.report import Tally
from playbill.simulation.viewers import viewer_id
from playbill.simulation.world import World


@dataclass(slots=True)
class Visits:
    """What one thread works with. Nothing in it is shared but what says so."""

    world: World
    """Immutable."""
    client: FeedService
    """Safe to share."""
    clock: Clock
    rng: np.random.Generator
    audience: Audience
    pace: Pace
    outbox: Outbox
    tally: Tally
    shown: RecentlyShown
    """Shared: the audiences are disjoint."""
    following: Following
    arrivals: Arrivals | None
    """For the one thread that also posts new videos."""
    surface: str
    pages_at_most: int
    error_pause_s: float

    def run(self) -> None:
        """Let viewers come until the pace has no more turns, then post what is left."""
        going = self.pace.turn()
        while going:
            self._post_arrivals()
            going = self._visit()
        self.outbox.flush()

    def _visit(self) -> bool:
        """Let one viewer read a feed, page after page; return False when the run is over.

        A viewer who looked at the last place of a page asks for the next one.
        """
        at_ms = self.clock.now_ms()
        user = self.audience.pick(at_ms, self.rng)
        settings = self.world.settings
        size = int(self.rng.integers(settings.feed_size_min, settings.feed_size_max + 1))
        visit = Visit(
            user=user,
            user_id=viewer_id(user),
            session_id=f"{viewer_id(user)}-{at_ms}",
            surface=self.surface,
            region=REGION_NAMES[self.world.viewers.region[user]],
        )
        cursor: str | None = None
        for _ in range(self.pages_at_most):
            reply = self._ask(visit, size, cursor)
            read_on = reply is not None and self._react(visit, reply)
            if not self.pace.turn():
                return False
            if reply is None or not read_on or reply.cursor is None:
                break
            cursor = reply.cursor
        return True

    def _ask(self, visit: Visit, size: int, cursor: str | None) -> FeedReply | None:
        """Return a page, or None when the server gave none."""
        asked_at_s = self.clock.elapsed_s()
        try:
            reply = self.client.feed(
                visit.user_id,
                size=size,
                surface=visit.surface,
                region=visit.region,
                session_id=visit.session_id,
                cursor=cursor,
            )
        except (InvalidInput, DependencyUnavailable) as error:
            self.tally.errors[error.code] += 1
            self.pace.rest(self.error_pause_s)
            return None
        latency_ms = (self.clock.elapsed_s() - asked_at_s) * SECOND_MS
        self.tally.count_reply(reply.tier.value, latency_ms, len(reply.items))
        return reply

    def _react(self, visit: Visit, reply: FeedReply) -> bool:
        """Act on a page, and return True when its last place was looked at."""
        videos, known = self.world.known([item.video_id for item in reply.items])
        places = np.flatnonzero(known)
        self.tally.strangers += known.size - places.size
        if not places.size:
            return False
        positions = np.array([reply.items[place].position for place in places.tolist()])
        model = self.world.responses
        chances = model.chances(visit.user, videos)
        outcomes = model.draw(visit.user, videos, positions, chances, self.rng)
        if outcomes.followed.any():
            first = self.following.begin(visit.user, videos, outcomes.followed)
            outcomes = replace(outcomes, followed=first)
        examined = model.examination(visit.user, positions)
        self.tally.count_response(videos, outcomes, float(examined @ model.utility(chances)))
        self.tally.repeats += self.shown.show(visit.user, videos)
        at_ms = max(self.clock.now_ms(), reply.served_at)
        self.outbox.add(events_of(visit, reply, places, outcomes, at_ms))
        return bool(outcomes.examined[-1])

    def _post_arrivals(self) -> None:
        if self.arrivals is None:
            return
        try:
            self.tally.videos_posted += self.arrivals.post_due(self.clock.now_ms())
        except (InvalidInput, DependencyUnavailable) as error:
            self.tally.errors[error.code] += 1
            self.pace.rest(self.error_pause_s)
