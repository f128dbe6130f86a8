"""What requests of a home read, kept in memory while it is served."""

import contextlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from playbill.app.residence import Residence, memory_bytes
from playbill.app.wiring import Wiring
from playbill.core import PlaybillError
from playbill.features.adapters.lmdb_disk import DATA_FILE
from playbill.serving import log_mishap

_EVERY_S, _PATIENCE_S = 5.0, 10.0
GIB = 1 << 30
WORTH_TELLING_BYTES = GIB
"""Less than this comes back from any disk before it is missed."""


class Keeping:
    """Keep the champion's arrays and the user store in memory, in a thread.

    Every five seconds it looks for a new champion, a new store, and what the store has grown by.
    A system that allows less keeps what it allows, arrays first; that is said once, where it is
    much.

    Args:
        wiring: of the home.
        say: takes a message.
    """

    def __init__(self, wiring: Wiring, say: Callable[[str], None]) -> None:
        self._wiring = wiring
        self._say = say
        self._told = False
        self._mishap = ""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.residence = Residence(allowed_bytes(wiring))

    def start(self) -> None:
        """Begin, where anything may be kept."""
        if allowed_bytes(self._wiring):
            self._thread = threading.Thread(target=self._run, name="keeping", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Have it let go of everything, without waiting for that."""
        self._stopping.set()

    def join(self) -> None:
        """Return once it has; a disk that does not answer is not waited for."""
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            self._thread = None

    def look(self) -> None:
        """Keep what is there now."""
        paths = read_by_requests(self._wiring)
        for _ in self.residence.keep(paths, written=paths[-1:]):
            if self._stopping.is_set():
                return
        missing = size_bytes(paths) - self.residence.bytes
        if missing > WORTH_TELLING_BYTES and not self._told:
            self._told = True
            why = "the system" if self.residence.refused else "state.resident_gib"
            self._say(
                f"{missing / GIB:.1f} GiB of what requests read may have to come from disk: "
                f"{why} allows no more in memory (playbill doctor)"
            )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:
                # What cannot be kept now may be at the next look; the thread must not end of it.
                if str(error) != self._mishap:
                    self._mishap = str(error)
                    log_mishap("keeping files in memory", error)
            self._stopping.wait(_EVERY_S)
        for _ in self.residence.keep(()):
            pass


def read_by_requests(wiring: Wiring) -> list[Path]:
    """Return the files that requests read at random: the champion's arrays, then the user store.

    The last one alone is written to while it is read.
    """
    store, layout = wiring.bundles(), wiring.layout
    try:
        digest = store.champion()
    except PlaybillError:
        digest = None
    arrays = [] if digest is None else sorted(store.path(digest).rglob("*.npy"))
    return [*arrays, layout.users / DATA_FILE]


def allowed_bytes(wiring: Wiring) -> int:
    """Return how much may be kept: what the settings say, else half of the machine's memory."""
    said = wiring.settings.state.resident_gib
    return memory_bytes() // 2 if said is None else said * GIB


def size_bytes(paths: Iterable[Path]) -> int:
    """Return the size of all files that are there."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total
