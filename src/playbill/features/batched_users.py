"""Many epochs, one commit: what makes catching up fast."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from playbill.contracts import UserState
from playbill.core import BrokenContract

_EPOCHS = 512
_ROWS = 50_000


class BatchedUsers:
    """A user store that holds commits back until there are enough of them.

    Only for epochs that the log has already recorded: what is held back is lost in a crash, and
    folded again.
    """

    def __init__(self, users: UserState) -> None:
        self._users = users
        self._epoch = users.epoch()
        self._committed = self._epoch
        self._rows: dict[bytes, bytes] = {}
        self._texts: dict[bytes, bytes] = {}

    def epoch(self) -> int:
        """Return the epoch of the last commit, held back or not."""
        return self._epoch

    def read(self, user: bytes) -> tuple[bytes | None, int]:
        """Return a user's row, None for an unknown one, and the epoch it was read at."""
        return self.read_many([user])[0], self._epoch

    def read_many(self, users: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of several users at one epoch, in order."""
        return _overlaid(self._rows, self._users.read_many, users)

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the stored texts of several keys, in order."""
        return _overlaid(self._texts, self._users.texts, keys)

    def commit(self, epoch: int, rows: Mapping[bytes, bytes], texts: Mapping[bytes, bytes]) -> None:
        """Hold rows and texts back, or commit everything held when it is much."""
        if epoch <= self._epoch:
            raise BrokenContract(f"epoch {epoch} does not lie after epoch {self._epoch}")
        self._rows.update(rows)
        self._texts.update(texts)
        self._epoch = epoch
        if epoch - self._committed >= _EPOCHS or len(self._rows) >= _ROWS:
            self.flush()

    def put_texts(self, texts: Mapping[bytes, bytes]) -> None:
        """Hold texts back with the epoch that they come with."""
        self._texts.update(texts)

    def flush(self) -> None:
        """Commit what is held back."""
        if self._epoch > self._committed:
            self._users.commit(self._epoch, self._rows, self._texts)
            self._committed = self._epoch
            self._rows, self._texts = {}, {}

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every user and row, ordered by user."""
        self.flush()
        return self._users.rows()

    def close(self) -> None:
        """Commit what is held back and close."""
        self.flush()
        self._users.close()


def _overlaid(
    held: dict[bytes, bytes],
    below: Callable[[Sequence[bytes]], list[bytes | None]],
    keys: Sequence[bytes],
) -> list[bytes | None]:
    missing = [key for key in keys if key not in held]
    found = dict(zip(missing, below(missing), strict=True)) if missing else {}
    return [held[key] if key in held else found[key] for key in keys]
