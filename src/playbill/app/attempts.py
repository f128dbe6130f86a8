"""Parts of a heartbeat: one that breaks is counted and logged, and the others go on."""

from collections.abc import Callable

from playbill.core import Clock
from playbill.serving import BoardRow, log_mishap

_EVERY_S = 1.0


class Attempts:
    """Do parts whatever happens inside them; the same part is logged once a second at most."""

    def __init__(self, row: BoardRow, clock: Clock) -> None:
        self._row = row
        self._clock = clock
        self._told_at_s: dict[str, float] = {}

    def do(self, name: str, part: Callable[[], None]) -> None:
        """Do one part.

        Args:
            name: in words of ours, for the log.
        """
        try:
            part()
        except Exception as error:
            self._row.add("errors")
            now_s = self._clock.elapsed_s()
            if now_s - self._told_at_s.get(name, -_EVERY_S) >= _EVERY_S:
                self._told_at_s[name] = now_s
                log_mishap(name, error)
