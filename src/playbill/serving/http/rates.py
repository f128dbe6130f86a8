"""How fast a caller may ask: one bucket for each caller and scope, two numbers and no lock.

The generic cell rate algorithm: a bucket is the instant at which it will be full again. A request
moves that instant on by one interval, and is refused where it would lie more than ``burst``
intervals ahead. Nothing has to be refilled, and memory does not grow with requests.

Source: ITU-T I.371, appendix I; the headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

import math
from dataclasses import dataclass, field

from playbill.contracts import SCOPES, Rate, RateSettings
from playbill.core import Clock
from playbill.serving.http.refusals import Header, RateLimited

NO_KEY = -1
"""The caller that brings no valid key."""
_ANONYMOUS = "anonymous"
_ROUNDING = 1e-3
"""Part of a request that does not count: what sums of many instants may be wrong by."""


@dataclass(slots=True)
class Bucket:
    """What one caller may ask of one scope.

    Args:
        name: the scope, for the caller.
        full_at_s: instant of the clock at which nothing of the burst is used any more.
    """

    name: str
    rate: Rate
    full_at_s: float = 0.0
    _interval_s: float = field(init=False)
    _room_s: float = field(init=False)
    _policy: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._interval_s = 1.0 / self.rate.per_s
        self._room_s = (self.rate.burst - 1 + _ROUNDING) * self._interval_s
        window_s = max(math.ceil(self.rate.burst * self._interval_s), 1)
        self._policy = f'"{self.name}";q={self.rate.burst};w={window_s}'.encode()

    def take(self, now_s: float) -> None:
        """Count a request.

        Raises:
            RateLimited: it is one too many; it does not count.
        """
        ahead_s = max(self.full_at_s - now_s, 0.0)
        if ahead_s > self._room_s:
            wait_s = max(math.ceil(ahead_s - self._room_s), 1)
            raise RateLimited(
                f"more than {self.rate.per_s:g} requests a second of {self.name!r}, "
                f"after a burst of {self.rate.burst}",
                retry_after_s=wait_s,
                hint=f"wait {wait_s} s, and ask no faster than the header ratelimit-policy says",
                headers=self.headers(now_s),
            )
        self.full_at_s = now_s + ahead_s + self._interval_s

    def headers(self, now_s: float) -> list[Header]:
        """Return what tells the caller the rate, how much is left, and when all of it is back."""
        ahead_s = max(self.full_at_s - now_s, 0.0)
        left = max(self.rate.burst - math.ceil(ahead_s / self._interval_s - _ROUNDING), 0)
        state = f'"{self.name}";r={left};t={math.ceil(ahead_s)}'.encode()
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", state)]


class Rates:
    """The buckets of one process: one for each caller and each scope that has a rate.

    Args:
        callers: how many API keys there are; without any, all callers are the caller 0.
    """

    def __init__(self, settings: RateSettings, callers: int, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[int, str], Bucket] = {}
        for scope in SCOPES:
            rate: Rate | None = getattr(settings, scope)
            if rate is not None:
                for caller in range(max(callers, 1)):
                    self._buckets[caller, scope] = Bucket(scope, rate)
        if settings.anonymous is not None and callers:
            self._buckets[NO_KEY, _ANONYMOUS] = Bucket(_ANONYMOUS, settings.anonymous)

    def take(self, caller: int, scope: str) -> list[Header]:
        """Count a request, and return what its reply says of the rate; nothing without one.

        Raises:
            RateLimited: it is one too many.
        """
        bucket = self._buckets.get((caller, scope)) if self._buckets else None
        if bucket is None:
            return []
        now_s = self._clock.elapsed_s()
        bucket.take(now_s)
        return bucket.headers(now_s)

    def take_without_key(self) -> None:
        """Count a request that brought no valid key.

        Raises:
            RateLimited: it is one too many.
        """
        self.take(NO_KEY, _ANONYMOUS)
