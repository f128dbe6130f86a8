"""The only clock."""

import time


class SystemClock:
    """Wall time for instants, monotonic time for durations."""

    def now_ms(self) -> int:
        """Return the instant in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def elapsed_s(self) -> float:
        """Return seconds since an arbitrary start."""
        return time.monotonic()
