"""Being told to stop, by a signal or by a thread."""

import time
from types import FrameType

_LOOK_S = 0.02


class Stopped(Exception):
    """Told to stop before the work was done."""


class Stop:
    """Whether somebody asked to stop; ``ask`` is a signal handler.

    ``threading.Event`` is not for handlers: its lock is not reentrant, so a signal that arrives
    while the same thread is inside ``wait`` or ``set`` would never come out of it.
    """

    def __init__(self) -> None:
        self._asked = False

    def ask(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Ask; any number of times."""
        self._asked = True

    def asked(self) -> bool:
        """Return whether somebody asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Return whether somebody asked, as soon as that is so, or after some seconds."""
        end_s = time.monotonic() + seconds
        while not self._asked:
            left_s = end_s - time.monotonic()
            if left_s <= 0.0:
                break
            time.sleep(min(left_s, _LOOK_S))
        return self._asked
