"""How many records the next epoch may hold, from how fast the last ones were folded."""

from dataclasses import dataclass

_EPOCH_S = 0.25
_FIRST_RECORDS, _LEAST_RECORDS = 20_000, 4_000
"""Of an epoch before any pace is known, and where nothing seems to move."""
_TELLING_RECORDS = 1_000
"""An epoch of fewer says little of the pace."""


@dataclass(slots=True)
class Pace:
    """A backlog is folded in epochs of a quarter of a second.

    What has just missed an epoch waits for the whole of the next.

    Args:
        most_records: of any epoch.

    Source: docs/decisions/0039-videos-overtake-events.md
    """

    most_records: int
    _records_per_s: float = 0.0

    def room_records(self) -> int:
        """Return how many the next epoch may hold."""
        wanted: float = _FIRST_RECORDS
        if self._records_per_s:
            wanted = max(_LEAST_RECORDS, _EPOCH_S * self._records_per_s)
        return int(min(self.most_records, wanted))

    def folded(self, records: int, seconds: float) -> None:
        """Learn how long the fold of an epoch took, and the commit of its rows."""
        if records >= _TELLING_RECORDS and seconds > 0.0:
            lately = records / seconds
            known = self._records_per_s
            self._records_per_s = (known + lately) / 2.0 if known else lately
