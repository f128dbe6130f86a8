"""Epochs: which prefix of every partition the state stands at. They are log entries themselves.

An epoch is recorded before anything of it is folded. Whatever dies in between, the next updater
folds the same records in the same order and gets the same bits; see decision 0004.
"""

from collections.abc import Iterator

import msgspec

from playbill.contracts import Batch, BatchKind, EventLog, PartitionWriter
from playbill.core import BrokenContract, DependencyUnavailable
from playbill.events.batches import EpochInput, decode_stored
from playbill.events.partitions import EPOCHS_PARTITION, stored_batches


class EpochRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch: its number, its instant, and the last offset it holds of each partition."""

    epoch: int
    at_ms: int
    upto: dict[str, int]


_NOTHING = EpochRecord(epoch=0, at_ms=0, upto={})
_decoder = msgspec.json.Decoder(EpochRecord)


class EpochLog:
    """The partition of epoch records. Its offsets are the epoch numbers."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def last(self) -> EpochRecord:
        """Return the newest epoch; number 0 and no offsets when there is none."""
        number = self._log.last_offset(EPOCHS_PARTITION)
        return self.get(number)

    def get(self, number: int) -> EpochRecord:
        """Return one epoch, number 0 being the empty beginning.

        Raises:
            DependencyUnavailable: the log holds no such epoch.
        """
        if number == 0:
            return _NOTHING
        found = self._log.read(EPOCHS_PARTITION, number - 1, 1, number)
        if not found:
            raise DependencyUnavailable(
                f"epoch {number} is not in the log, which ends at epoch "
                f"{self._log.last_offset(EPOCHS_PARTITION)}",
                code="log_unavailable",
                hint="part of the log is missing: restore the whole folder from one moment",
            )
        return _record(found[0].payload)

    def after(self, number: int, up_to: int | None = None) -> Iterator[EpochRecord]:
        """Yield the epochs past a number, in order."""
        for stored in stored_batches(self._log, EPOCHS_PARTITION, number, up_to):
            yield _record(stored.payload)

    def append(self, writer: PartitionWriter, *records: EpochRecord) -> None:
        """Record epochs that follow each other and the log's last one, durably, all or none.

        Raises:
            BrokenContract: a number would not be the offset at which its epoch lies.
            DependencyUnavailable: the log cannot be written; the epochs do not exist.
        """
        last = self._log.last_offset(EPOCHS_PARTITION)
        for offset, record in enumerate(records, start=last + 1):
            if record.epoch != offset:
                raise BrokenContract(
                    f"epoch {record.epoch} would lie at offset {offset} of the epochs; "
                    f"expected epoch {offset}",
                    hint="recover from the log before recording the next epoch",
                )
        batches = [Batch(BatchKind.EPOCH, 1, msgspec.json.encode(record)) for record in records]
        writer.append(batches, records[-1].at_ms)


def _record(payload: bytes) -> EpochRecord:
    return decode_stored(BatchKind.EPOCH, payload, _decoder.decode)


def read_epoch(log: EventLog, before: EpochRecord, this: EpochRecord) -> EpochInput:
    """Return what lies between two epochs: partitions by name, offsets in order.

    Raises:
        DependencyUnavailable: the log is missing part of it.
        BrokenContract: a batch of it is torn.
    """
    content = EpochInput(this.epoch, this.at_ms)
    for partition in sorted(this.upto):
        after = before.upto.get(partition, 0)
        last = this.upto[partition]
        for stored in stored_batches(log, partition, after, last):
            content.add(stored.kind, stored.payload)
            after = stored.offset
        if after < last:
            raise DependencyUnavailable(
                f"epoch {this.epoch} holds {partition} up to {last}, the log ends at {after}",
                code="log_unavailable",
                hint="part of the log is missing: restore the whole folder from one moment",
            )
    return content
