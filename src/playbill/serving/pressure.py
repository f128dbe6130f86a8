"""Which tier a server can afford, from how long work waits for its turn.

Waiting says when a server is late; the load of its core does not. Under pressure a worker does
less for each feed, so that it answers all of them in time: no heavy scorer, then the last list,
then the region's, then the safe list.
"""

from playbill.contracts import Tier
from playbill.core import Clock

_BOUNDS = ((1.0, Tier.LIGHT), (2.0, Tier.CACHED), (3.0, Tier.POPULAR), (4.0, Tier.STATIC))
"""Multiples of the limit, and what is affordable from there on."""
_RELIEF = 0.25
_TURN_MS = 10.0
_HALF_MS = 80.0
"""A wait of this length weighs as much as all before it: the longer, the sooner it is believed."""


class Pressure:
    """Step down at once, and up again one tier at a time.

    A step down needs a wait above the limit; how far above decides how far down. A step up needs
    the wait to have stayed below a quarter of the limit for a whole cool-down. After any step
    there is none for a cool-down, but for a deeper one down.

    Args:
        clock: measures cool-downs.
        limit_ms: a wait that is still fine.
        cool_down_s: time between two steps.
    """

    def __init__(self, clock: Clock, limit_ms: float, cool_down_s: float) -> None:
        self._clock = clock
        self._limit_ms = limit_ms
        self._cool_down_s = cool_down_s
        self._wait_ms = 0.0
        self._calm_since_s = clock.elapsed_s()
        self.tier = Tier.FULL

    def observe(self, wait_ms: float) -> None:
        """Learn how long something has just waited for its turn, a hundred times a second."""
        now_s = self._clock.elapsed_s()
        weight = 1.0 - 2.0 ** (-(wait_ms + _TURN_MS) / _HALF_MS)
        self._wait_ms += weight * (wait_ms - self._wait_ms)
        if self._wait_ms > _RELIEF * self._limit_ms:
            self._calm_since_s = now_s
        asked = Tier.FULL
        for multiple, tier in _BOUNDS:
            if self._wait_ms > multiple * self._limit_ms:
                asked = tier
        if _depth(asked) > _depth(self.tier):
            self.tier, self._calm_since_s = asked, now_s
        elif self.tier is not Tier.FULL and now_s - self._calm_since_s >= self._cool_down_s:
            self.tier, self._calm_since_s = _TIERS[_depth(self.tier) - 1], now_s


_TIERS = (Tier.FULL, *(tier for _, tier in _BOUNDS))


def _depth(tier: Tier) -> int:
    return _TIERS.index(tier)
