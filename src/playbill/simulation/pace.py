"""When the next request is due, and when a run is over."""

from collections.abc import Callable
from threading import Event

from playbill.core import Clock


class Pace:
    """The timetable of one thread.

    A thread that is late asks at once and does not make up for what it missed: the loop is
    closed, and a slow server gets fewer requests, not a queue of them.

    Args:
        clock: tells the time.
        stopped: set when the run is called off.
        pause: waits so many seconds, or less when the run is called off.
        requests: how many turns there are; None for no limit.
        duration_s: how long turns are given; None for no limit.
        interval_s: between turns; None for as fast as replies come.
        delay_s: before the first turn, so that threads do not ask in step.
    """

    def __init__(
        self,
        clock: Clock,
        stopped: Event,
        pause: Callable[[float], object],
        *,
        requests: int | None,
        duration_s: float | None,
        interval_s: float | None,
        delay_s: float,
    ) -> None:
        self._clock = clock
        self._stopped = stopped
        self._pause = pause
        self._left = requests
        self._interval_s = interval_s
        now_s = clock.elapsed_s()
        self._end_s = None if duration_s is None else now_s + duration_s
        self._due_s = now_s + delay_s

    def turn(self) -> bool:
        """Wait for the next turn and return True, or return False when there is none."""
        if self._left == 0 or self._over():
            return False
        if self._interval_s is not None:
            wait_s = self._due_s - self._clock.elapsed_s()
            if wait_s > 0.0:
                self._pause(wait_s)
            self._due_s = max(self._due_s, self._clock.elapsed_s() - self._interval_s)
            self._due_s += self._interval_s
            if self._over():
                return False
        if self._left is not None:
            self._left -= 1
        return True

    def rest(self, duration_s: float) -> None:
        """Wait without using up a turn, after something failed."""
        self._pause(duration_s)

    def _over(self) -> bool:
        if self._stopped.is_set():
            return True
        return self._end_s is not None and self._clock.elapsed_s() >= self._end_s
