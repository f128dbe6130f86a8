"""The fake of ``UserState``, and what replay folds into: rows in a dictionary."""

from collections.abc import Iterator, Mapping, Sequence

from playbill.core import BrokenContract


class MemoryUserState:
    """Viewers' rows and texts that last as long as the process.

    Args:
        epoch: where it stands.
        rows: of that epoch.
    """

    def __init__(self, epoch: int = 0, rows: Mapping[bytes, bytes] | None = None) -> None:
        self._epoch = epoch
        self._rows: dict[bytes, bytes] = dict(rows or {})
        self._texts: dict[bytes, bytes] = {}

    def epoch(self) -> int:
        """Return the epoch of the last commit, 0 for an empty store."""
        return self._epoch

    def read(self, user: bytes) -> tuple[bytes | None, int]:
        """Return a user's row, None for an unknown one, and the epoch it was read at."""
        return self._rows.get(user), self._epoch

    def read_many(self, users: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of several users at one epoch, in order."""
        return [self._rows.get(user) for user in users]

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the stored texts of several keys, in order."""
        return [self._texts.get(key) for key in keys]

    def commit(self, epoch: int, rows: Mapping[bytes, bytes], texts: Mapping[bytes, bytes]) -> None:
        """Replace rows and texts and move to ``epoch``, all or none."""
        if epoch <= self._epoch:
            raise BrokenContract(f"epoch {epoch} does not lie after epoch {self._epoch}")
        self._rows.update(rows)
        self._texts.update(texts)
        self._epoch = epoch

    def put_texts(self, texts: Mapping[bytes, bytes]) -> None:
        """Replace texts ahead of the epoch that they come with."""
        self._texts.update(texts)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every user and row, ordered by user."""
        yield from sorted(self._rows.items())

    def close(self) -> None:
        """Let go of nothing; there are no files."""
