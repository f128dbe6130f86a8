"""What adapters implement. Each port has a suite in ``tests/laws`` that every adapter inherits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from playbill.contracts.records import BatchKind


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one kind that enter the log together."""

    kind: BatchKind
    count: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch with its place in a partition; offsets grow by one from 1."""

    offset: int
    at_ms: int
    kind: BatchKind
    count: int
    payload: bytes


class PartitionWriter(Protocol):
    """The only writer of one partition."""

    def append(self, batches: Sequence[Batch], at_ms: int) -> int:
        """Store the batches all or none, durably, and return the last offset.

        Raises:
            DependencyUnavailable: the medium refused; nothing was stored.
        """
        ...

    def close(self) -> None:
        """Give the partition up."""
        ...


class EventLog(Protocol):
    """Ordered, durable partitions."""

    def writer(self, partition: str) -> PartitionWriter:
        """Open a partition for writing, creating it.

        Raises:
            Conflict: another process holds it.
        """
        ...

    def partitions(self) -> list[str]:
        """Return the names of all partitions, sorted."""
        ...

    def read(
        self, partition: str, after: int, limit: int, up_to: int | None = None
    ) -> list[StoredBatch]:
        """Return at most ``limit`` batches past ``after`` and not past ``up_to``, in order."""
        ...

    def last_offset(self, partition: str) -> int:
        """Return the offset of the newest batch, 0 when there is none."""
        ...


class UserState(Protocol):
    """One fixed-layout row a user, the catalogue's texts, and the epoch they stand at.

    One writer, many readers; a reader sees one epoch at a time, never half of one. Every read
    raises ``DependencyUnavailable`` when the store is gone or damaged.
    """

    def epoch(self) -> int:
        """Return the epoch of the last commit, 0 for an empty store."""
        ...

    def read(self, user: bytes) -> tuple[bytes | None, int]:
        """Return a user's row, None for an unknown one, and the epoch it was read at."""
        ...

    def read_many(self, users: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of several users at one epoch, in order."""
        ...

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the stored texts of several keys, in order."""
        ...

    def commit(self, epoch: int, rows: Mapping[bytes, bytes], texts: Mapping[bytes, bytes]) -> None:
        """Replace rows and texts and move to ``epoch``, all or none.

        Raises:
            BrokenContract: ``epoch`` does not lie after the last one.
            DependencyUnavailable: the store is gone, damaged or full; it is as it was.
        """
        ...

    def put_texts(self, texts: Mapping[bytes, bytes]) -> None:
        """Replace texts ahead of the epoch that they come with; putting them twice does no harm.

        Raises:
            DependencyUnavailable: the store is gone, damaged or full; it is as it was.
        """
        ...

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every user and row, ordered by user."""
        ...

    def close(self) -> None:
        """Let go of files and maps."""
        ...


class KeyStore(Protocol):
    """Secrets by purpose, apart from the data they protect."""

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes that belong to a purpose, making them on first use.

        Raises:
            DependencyUnavailable: the store cannot be read, or others can read it.
        """
        ...

    def stored(self, purpose: str) -> bytes | None:
        """Return the bytes of a purpose, None where nobody asked for them yet; makes nothing.

        Raises:
            DependencyUnavailable: as for ``secret``.
        """
        ...
