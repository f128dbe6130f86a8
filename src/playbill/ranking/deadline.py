"""Time left, and what to do with a part that keeps failing."""

from playbill.core import Clock

_SAMPLE = 20
_LAST = (1 << _SAMPLE) - 1


class Deadline:
    """A budget that started when it was made."""

    def __init__(self, clock: Clock, budget_ms: float) -> None:
        self._clock = clock
        self._end_s = clock.elapsed_s() + budget_ms / 1000.0

    def left_ms(self) -> float:
        """Return milliseconds left, negative once it has passed."""
        return (self._end_s - self._clock.elapsed_s()) * 1000.0


class Breaker:
    """Stop asking a part that fails; try it again after ``open_s``.

    It opens after ``failures`` in a row, and when half of the last 20 calls failed, of no fewer
    than 20. While open, one request in each ``open_s`` is let through as a probe; one success
    closes it, and it begins anew.
    """

    def __init__(self, clock: Clock, failures: int, open_s: float) -> None:
        self._clock = clock
        self._limit = failures
        self._open_s = open_s
        self._in_a_row = 0
        self._recent = 0
        self._asked = 0
        self._open = False
        self._probe_at_s = 0.0

    def allows(self) -> bool:
        """Return whether to ask; a True while open is the probe."""
        if not self._open:
            return True
        now_s = self._clock.elapsed_s()
        if now_s < self._probe_at_s:
            return False
        self._probe_at_s = now_s + self._open_s
        return True

    def succeeded(self) -> None:
        """Count a success; close."""
        if self._open:
            self._recent = self._asked = 0
        self._in_a_row, self._open = 0, False
        self._remember(failed=False)

    def failed(self) -> None:
        """Count a failure; open where that is too many."""
        self._in_a_row += 1
        self._remember(failed=True)
        often = self._asked >= _SAMPLE and 2 * self._recent.bit_count() >= _SAMPLE
        if self._open or often or self._in_a_row >= self._limit:
            self._open = True
            self._probe_at_s = self._clock.elapsed_s() + self._open_s

    def _remember(self, *, failed: bool) -> None:
        self._recent = (self._recent << 1 | failed) & _LAST
        self._asked += 1


class CostMeter:
    """What one row costs lately, so that a slow scorer is given fewer rows instead of all."""

    _WEIGHT = 0.3

    def __init__(self) -> None:
        self._ms_per_row = 0.0

    def rows_within(self, budget_ms: float, most: int) -> int:
        """Return how many rows fit a budget, at most ``most``; none without time."""
        if budget_ms <= 0.0:
            return 0
        if self._ms_per_row <= 0.0:
            return most
        return min(most, int(budget_ms / self._ms_per_row))

    def observe(self, rows: int, ms: float) -> None:
        """Learn from one call; slowness is believed at once, speed gradually."""
        cost = ms / max(rows, 1)
        if cost > self._ms_per_row:
            self._ms_per_row = cost
        else:
            self._ms_per_row += self._WEIGHT * (cost - self._ms_per_row)
