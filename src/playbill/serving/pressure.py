"""Which tier a server can afford, from how long work waits for its turn.

Waiting says when a server is late; the load of its core does not. Under pressure a worker does
less for each feed, so that it answers all of them in time: no heavy scorer, then the last list,
then the region's, then the safe list. What nobody waits for gives way before that.
"""

import math
from collections.abc import Sequence

from playbill.contracts import Priority, Tier
from playbill.core import Clock

_INTERACTIVE = (
    (1.0, Tier.LIGHT),
    (2.0, Tier.CACHED),
    (3.0, Tier.POPULAR),
    (4.0, Tier.STATIC),
)
_PREFETCH = ((0.5, Tier.LIGHT), (1.0, None))
"""Multiples of the limit, and what is affordable from there on; None: nothing."""
_RELIEF = 0.25
_TURN_MS = 10.0
_HALF_MS = 80.0
"""A wait of this length weighs as much as all before it: the longer, the sooner it is believed."""
_QUEUE = 2
_FEED_MS = 10.0
"""Any feed may account for so much of a wait, or for twice what feeds usually take. What goes
beyond is a stall, which ends by itself."""
_NEWEST = 0.02
_LOOK_MS = 20.0
_LONGEST = 8.0
"""Cool-downs between two trials of a step up that does not hold."""


class Ladder:
    """Step down at once, and up again one step at a time, on trial.

    A step down needs a wait above a step's bound; how far above decides how far down. A step up
    needs the wait to have stayed below a quarter of the first bound for a whole cool-down. After
    any step there is none for a cool-down, but for one down.

    For a cool-down a step up is on trial: a wait above the first bound takes it back, and the next
    trial of that step comes after twice the time, at most eight cool-downs. A trial that holds
    makes it one again.

    Args:
        clock: measures cool-downs.
        bounds_ms: the waits above which each step is taken, ascending.
        cool_down_s: time between two steps.

    Source: docs/decisions/0013-pressure-is-waiting.md
    """

    def __init__(self, clock: Clock, bounds_ms: Sequence[float], cool_down_s: float) -> None:
        self._clock = clock
        self._bounds_ms = bounds_ms
        self._cool_down_s = cool_down_s
        self._wait_ms = 0.0
        self._calm_since_s = clock.elapsed_s()
        self._patience_s = [cool_down_s] * len(bounds_ms)
        self._trial_ends_s: float | None = None
        self.depth = 0

    def observe(self, wait_ms: float) -> None:
        """Learn how long something has just waited for its turn, a hundred times a second."""
        now_s = self._clock.elapsed_s()
        weight = 1.0 - 2.0 ** (-(wait_ms + _TURN_MS) / _HALF_MS)
        self._wait_ms += weight * (wait_ms - self._wait_ms)
        if self._wait_ms > _RELIEF * self._bounds_ms[0]:
            self._calm_since_s = now_s
        if self._trial_ends_s is not None and now_s >= self._trial_ends_s:
            self._patience_s[self.depth] = self._cool_down_s
            self._trial_ends_s = None
        asked = sum(self._wait_ms > bound_ms for bound_ms in self._bounds_ms)
        if asked and self._trial_ends_s is not None:
            longer_s = min(2.0 * self._patience_s[self.depth], _LONGEST * self._cool_down_s)
            self._patience_s[self.depth] = longer_s
            self._move(max(asked, self.depth + 1), now_s)
        elif asked > self.depth:
            self._move(asked, now_s)
        elif self.depth and now_s - self._calm_since_s >= self._patience_s[self.depth - 1]:
            self._move(self.depth - 1, now_s)
            self._trial_ends_s = now_s + self._cool_down_s

    def _move(self, depth: int, now_s: float) -> None:
        self.depth, self._calm_since_s, self._trial_ends_s = depth, now_s, None


class Pressure:
    """One ladder for feeds that people wait for, and a shorter one for all others.

    The time that went into prefetches is taken off the wait before people's ladder sees it, so
    prefetches cannot cost people a tier, however many they are. The prefetches' ladder sees the
    whole wait, and they are refused wherever people get less than a full feed.

    Args:
        clock: measures cool-downs.
        limit_ms: a wait that is still fine.
        cool_down_s: time between two steps.
    """

    def __init__(self, clock: Clock, limit_ms: float, cool_down_s: float) -> None:
        self._people = Ladder(clock, [m * limit_ms for m, _ in _INTERACTIVE], cool_down_s)
        self._others = Ladder(clock, [m * limit_ms for m, _ in _PREFETCH], cool_down_s)
        self._feeds = dict.fromkeys(Priority, 0)
        self._prefetch_ms = 0.0
        self._usual_ms = _FEED_MS / 2.0
        self._due_s = math.inf
        self._looked_ms = 0.0

    @property
    def tier(self) -> Tier:
        """Return the best tier that a feed somebody waits for can have now."""
        return (Tier.FULL, *(tier for _, tier in _INTERACTIVE))[self._people.depth]

    @property
    def prefetch_tier(self) -> Tier | None:
        """Return the best tier that any other feed can have now, None for none."""
        if self._people.depth:
            return None
        return (Tier.FULL, *(tier for _, tier in _PREFETCH))[self._others.depth]

    def answered(self, priority: Priority, ms: float) -> None:
        """Learn of a feed that was answered, or a prefetch refused, and the time it took."""
        self._feeds[priority] += 1
        if priority is Priority.PREFETCH:
            self._prefetch_ms += ms
        else:
            # Bounded, so that one that stood still says little of what is usual.
            self._usual_ms += _NEWEST * (min(ms, 2.0 * self._usual_ms) - self._usual_ms)

    def turn(self, due_s: float) -> None:
        """Say when the loop is next due, so that ``late`` can tell how late it is."""
        self._due_s = due_s

    def late(self, now_s: float) -> bool:
        """Look in the middle of a long turn; return whether a wait was observed.

        A loop that has many requests in one turn would learn of its lateness only after the last.
        """
        wait_ms = (now_s - self._due_s) * 1000.0
        if wait_ms < self._looked_ms + _LOOK_MS:
            return False
        self._weigh(wait_ms)
        self._looked_ms = wait_ms
        return True

    def observe(self, wait_ms: float) -> None:
        """Learn how long something has waited for its turn since the last time.

        Only the part that feeds account for is a queue: something else held the loop up for the
        rest. It takes two of them.
        """
        self._weigh(wait_ms)
        self._feeds = dict.fromkeys(Priority, 0)
        self._prefetch_ms = self._looked_ms = 0.0

    def _weigh(self, wait_ms: float) -> None:
        people, others = self._feeds[Priority.INTERACTIVE], self._feeds[Priority.PREFETCH]
        self._people.observe(self._queued_ms(wait_ms - self._prefetch_ms, people))
        self._others.observe(self._queued_ms(wait_ms, people + others))

    def _queued_ms(self, wait_ms: float, feeds: int) -> float:
        """Return how much of a wait is a queue of so many feeds."""
        each_ms = max(_FEED_MS, 2.0 * self._usual_ms)
        return max(min(wait_ms, feeds * each_ms), 0.0) if feeds >= _QUEUE else 0.0
