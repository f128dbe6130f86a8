"""One viewer's row, from a store that may vanish and come back."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import Clock, DependencyUnavailable
from playbill.features import USER_RECORD, empty_user
from playbill.ranking import Breaker

_SLOW_READS, _REST_S = 3, 1.0
_WAIT = "try again: the updater rebuilds it from the log; playbill doctor says how far it is"


class UserStore(Protocol):
    """A reader's view of the user store."""

    def read(self, user: bytes) -> tuple[bytes | None, int]:
        """Return a row and the epoch it was read at."""
        ...

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return stored texts."""
        ...

    def present(self) -> bool:
        """Return whether the open file is still the one in the folder."""
        ...

    def touch(self, most_bytes: int) -> bool:
        """Have more of the store at hand, and return whether there was more; for a thread."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class UserRow(msgspec.Struct, frozen=True):
    """A (1,) ``USER_RECORD``, whether the viewer is known, and the epoch it was read at."""

    row: npt.NDArray[np.void]
    known: bool
    epoch: int


class UserRows:
    """Rows while there is a store; texts from the last one that was open.

    A store that takes too long three times in a row, or ten of the last 20 times, is left alone
    for a second, then tried again.

    Args:
        opened: opens the store; raises ``DependencyUnavailable`` while there is none.
        clock: measures reads.
        slow_ms: a read may take this long.
        drilled: called at each read; a drill takes the rows away, or its time.
    """

    def __init__(
        self,
        opened: Callable[[], UserStore],
        clock: Clock,
        slow_ms: float,
        drilled: Callable[[], None] = lambda: None,
    ) -> None:
        self._open = opened
        self._clock = clock
        self._slow_ms = slow_ms
        self._drilled = drilled
        self._breaker = Breaker(clock, _SLOW_READS, _REST_S)
        self._store: UserStore | None = None
        self._gone = True
        self.refresh()

    def refresh(self) -> None:
        """Notice a store that vanished, and open the one that took its place."""
        store = self._store
        if store is not None and store.present():
            self._gone = False
            return
        self._gone = True
        try:
            opened = self._open()
        except DependencyUnavailable:
            return
        if store is not None:
            store.close()
        self._store, self._gone = opened, False

    def read(self, user: bytes) -> UserRow:
        """Return a viewer's row, the empty one for a viewer nobody has met.

        Raises:
            DependencyUnavailable: there is no store now, or it is too slow.
        """
        store = self._store
        if store is None or self._gone:
            raise DependencyUnavailable(
                "there is no user store", code="user_store_unavailable", hint=_WAIT
            )
        if not self._breaker.allows():
            raise DependencyUnavailable(
                "the user store is too slow", code="user_store_slow", hint="look at its disk"
            )
        started_s = self._clock.elapsed_s()
        self._drilled()
        data, epoch = store.read(user)
        if (self._clock.elapsed_s() - started_s) * 1000.0 > self._slow_ms:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        if data is None:
            return UserRow(empty_user(), known=False, epoch=epoch)
        return UserRow(np.frombuffer(data, USER_RECORD), known=True, epoch=epoch)

    def touch(self, most_bytes: int) -> bool:
        """Have more of the store at hand, and return whether there was more; for a thread.

        Args:
            most_bytes: a larger store is left alone.
        """
        store = self._store
        return store is not None and not self._gone and store.touch(most_bytes)

    def close(self) -> None:
        """Let go of the store; this process may then open it again."""
        store, self._store, self._gone = self._store, None, True
        if store is not None:
            store.close()

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return stored texts, also from a store that has just vanished.

        Raises:
            DependencyUnavailable: no store was ever open.
        """
        if self._store is None:
            raise DependencyUnavailable(
                "there is no user store", code="user_store_unavailable", hint=_WAIT
            )
        return self._store.texts(keys)
