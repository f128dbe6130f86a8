"""Group commit: whatever waits for the disk shares one fsync, and the line is bounded."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from playbill.contracts import Batch, PartitionWriter
from playbill.core import Clock, DependencyUnavailable, Overloaded

_RETRY_AFTER_S = 1
_MAX_BATCHES_PER_COMMIT = 256


@dataclass(slots=True)
class _Waiting:
    batches: Sequence[Batch]
    records: int
    done: "Future[int]"


class GroupCommit:
    """One thread that appends for many callers.

    Args:
        writer: the partition; this object closes it.
        clock: stamps each commit.
        max_records: records that may wait; one more and callers are told to come back.
    """

    def __init__(self, writer: PartitionWriter, clock: Clock, max_records: int) -> None:
        self._writer = writer
        self._clock = clock
        self._max_records = max_records
        self._waiting: list[_Waiting] = []
        self._taken: list[_Waiting] = []
        self._records = 0
        self._closed = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, batches: Sequence[Batch]) -> "Future[int]":
        """Queue batches and return a future of the offset at which they became durable.

        The future raises ``DependencyUnavailable`` when the log refused them.

        Raises:
            Overloaded: too many records wait already; nothing was queued.
            DependencyUnavailable: the line is closed; nothing was queued.
        """
        records = sum(batch.count for batch in batches)
        future: Future[int] = Future()
        # A caller who goes away cannot cancel what shares its commit with others.
        future.set_running_or_notify_cancel()
        with self._wake:
            if self._closed:
                raise DependencyUnavailable(
                    "the log is closing, as this process stops",
                    code="log_unavailable",
                    hint="send again, to another process; event ids make that safe",
                )
            if self._records and self._records + records > self._max_records:
                raise Overloaded(
                    f"{self._records:,} records wait for the disk; "
                    f"at most {self._max_records:,} may",
                    retry_after_s=_RETRY_AFTER_S,
                    hint="send again after Retry-After seconds; event ids make that safe",
                )
            self._waiting.append(_Waiting(batches, records, future))
            self._records += records
            self._wake.notify()
        return future

    def close(self) -> None:
        """Write what waits, then give the partition up."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        try:
            while self._take():
                self._commit()
        finally:
            self._leave_nobody_waiting()

    def _take(self) -> bool:
        """Wait for work and take it; return False when there will be none."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closed)
            self._taken = self._waiting[:_MAX_BATCHES_PER_COMMIT]
            del self._waiting[:_MAX_BATCHES_PER_COMMIT]
        return bool(self._taken)

    def _commit(self) -> None:
        batches = [batch for waiting in self._taken for batch in waiting.batches]
        try:
            offset = self._writer.append(batches, self._clock.now_ms())
        except DependencyUnavailable as refusal:
            for waiting in self._settle():
                waiting.done.set_exception(refusal)
        else:
            for waiting in self._settle():
                waiting.done.set_result(offset)

    def _settle(self) -> list[_Waiting]:
        """Make room for others, and return whoever is to hear of it."""
        with self._wake:
            settled, self._taken = self._taken, []
            self._records -= sum(waiting.records for waiting in settled)
        return settled

    def _leave_nobody_waiting(self) -> None:
        """Close the line behind the thread; only a bug of ours ends it while somebody waits."""
        with self._wake:
            self._closed = True
            self._taken += self._waiting
            self._waiting = []
        for waiting in self._settle():
            waiting.done.set_exception(
                DependencyUnavailable(
                    "the log stopped before it was written",
                    code="log_unavailable",
                    hint="send again; event ids make that safe",
                )
            )
