"""The fake of ``EventLog``: partitions in a dictionary, gone with the process."""

from collections.abc import Sequence

from playbill.contracts import Batch, PartitionWriter, StoredBatch
from playbill.core import Conflict, DependencyUnavailable


class MemoryEventLog:
    """An event log without a disk. ``full`` makes every append fail, as a full disk does."""

    def __init__(self) -> None:
        self._partitions: dict[str, list[StoredBatch]] = {}
        self._held: set[str] = set()
        self.full = False

    def writer(self, partition: str) -> PartitionWriter:
        """Open a partition for writing, creating it."""
        if partition in self._held:
            raise Conflict(f"partition {partition!r} has a writer; a partition has one writer")
        self._held.add(partition)
        self._partitions.setdefault(partition, [])
        return _MemoryWriter(self, partition)

    def partitions(self) -> list[str]:
        """Return the names of all partitions, sorted."""
        return sorted(self._partitions)

    def read(
        self, partition: str, after: int, limit: int, up_to: int | None = None
    ) -> list[StoredBatch]:
        """Return at most ``limit`` batches past ``after`` and not past ``up_to``, in order."""
        stored = self._partitions.get(partition, [])
        return stored[after : after + limit if up_to is None else min(after + limit, up_to)]

    def last_offset(self, partition: str) -> int:
        """Return the offset of the newest batch, 0 when there is none."""
        return len(self._partitions.get(partition, []))

    def append(self, partition: str, batches: Sequence[Batch], at_ms: int) -> int:
        """Store batches in a partition; what its writer calls."""
        if self.full:
            raise DependencyUnavailable("the log is full", code="log_unavailable")
        stored = self._partitions[partition]
        for batch in batches:
            stored.append(
                StoredBatch(len(stored) + 1, at_ms, batch.kind, batch.count, batch.payload)
            )
        return len(stored)

    def release(self, partition: str) -> None:
        """Let another writer open a partition."""
        self._held.discard(partition)


class _MemoryWriter:
    def __init__(self, log: MemoryEventLog, partition: str) -> None:
        self._log = log
        self._partition = partition

    def append(self, batches: Sequence[Batch], at_ms: int) -> int:
        return self._log.append(self._partition, batches, at_ms)

    def close(self) -> None:
        self._log.release(self._partition)
