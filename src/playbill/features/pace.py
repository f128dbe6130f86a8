"""How many records the next epoch may hold, from how fast the last ones were folded."""

from dataclasses import dataclass

_EPOCH_S = 0.25
_FIRST, _LEAST = 20_000, 1_000
"""Records of an epoch before any pace is known, and where nothing seems to move."""
_TELLING = 1_000
"""An epoch of fewer records says little of the pace."""


@dataclass(slots=True)
class Pace:
    """A backlog is folded in epochs of a quarter of a second.

    What has just missed an epoch waits for the whole of the next.

    Args:
        most: records of any epoch.

    Source: docs/decisions/0039-videos-overtake-events.md
    """

    most: int
    _per_s: float = 0.0

    def room(self) -> int:
        """Return how many records the next epoch may hold."""
        wanted = max(_LEAST, _EPOCH_S * self._per_s) if self._per_s else _FIRST
        return int(min(self.most, wanted))

    def folded(self, records: int, seconds: float) -> None:
        """Learn how long an epoch took, from its cut to its rows."""
        if records >= _TELLING and seconds > 0.0:
            now_per_s = records / seconds
            self._per_s = (self._per_s + now_per_s) / 2.0 if self._per_s else now_per_s
