"""Rests of long work beside requests: memory, disk and core are those of who serves, too."""

import time
from collections.abc import Callable

_LONGEST_REST_S = 0.1


class Rests:
    """Rest so many times as long as one worked since the last rest, a tenth of a second at most.

    Args:
        times: how many.
        worked_s: what work is counted by: the time that passes, or the thread's own on a core.
    """

    def __init__(self, times: float, worked_s: Callable[[], float] = time.monotonic) -> None:
        self._times = times
        self._worked_s = worked_s
        self._since_s = worked_s()

    def rest(self) -> None:
        """Return after the rest."""
        time.sleep(min(self._times * (self._worked_s() - self._since_s), _LONGEST_REST_S))
        self._since_s = self._worked_s()
