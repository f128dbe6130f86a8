"""Rests of long work beside requests: memory, disk and core are those of who serves, too."""

import time

_RESTS, _LONGEST_REST_S = 2.0, 0.1


class Rests:
    """Rest twice as long as one worked since the last rest.

    A tenth of a second at most: on a slow disk most of the work was waiting, which is in nobody's
    way.
    """

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    def rest(self) -> None:
        """Return after the rest."""
        time.sleep(min(_RESTS * (time.monotonic() - self._since_s), _LONGEST_REST_S))
        self._since_s = time.monotonic()
