"""Instants are whole milliseconds since 1970 in UTC, and only ``app`` asks a clock for one."""

from dataclasses import dataclass
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Clock(Protocol):
    """What tells the time to everything below ``app``."""

    def now_ms(self) -> int:
        """Return the instant, in milliseconds since 1970; it may jump, as wall clocks do."""
        ...

    def elapsed_s(self) -> float:
        """Return seconds since an arbitrary start; it never goes backwards."""
        ...


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is told otherwise; the fake of ``Clock``."""

    at_ms: int
    seconds: float = 0.0

    def now_ms(self) -> int:
        """Return the instant it was set to."""
        return self.at_ms

    def elapsed_s(self) -> float:
        """Return the seconds it was advanced by."""
        return self.seconds

    def advance(self, duration_ms: int) -> None:
        """Move both readings forward."""
        self.at_ms += duration_ms
        self.seconds += duration_ms / SECOND_MS
