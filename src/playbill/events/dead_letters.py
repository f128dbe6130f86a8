"""Events that were refused, kept sealed until somebody repairs them.

A refused event is stored verbatim, because what is wrong with it may be anywhere; it may hold raw
identity, so it is encrypted with a key that does not lie beside the data.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from playbill.contracts import Batch, BatchKind, EventLog, RejectedEvent
from playbill.events.batches import decode_stored
from playbill.events.decoding import problem_of
from playbill.events.partitions import dead_partitions, stored_batches
from playbill.privacy import Sealer

_CONTEXT = b"dead-letter"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One refused event. ``id`` is where it lies: partition, offset, place."""

    id: str
    refused_at_ms: int
    code: str
    message: str
    field: str | None
    text: str


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    # ``message`` is stored as an empty text: it lies in the sealed note, and its place here is
    # part of the stored layout.
    code: str
    message: str
    field: str | None
    sealed: bytes


_entries = msgspec.msgpack.Decoder(list[_Entry])
_ids = msgspec.msgpack.Decoder(list[str])


class DeadLetters:
    """The dead-letter partitions of a log."""

    def __init__(self, log: EventLog, sealer: Sealer) -> None:
        self._log = log
        self._sealer = sealer

    def batch(self, refused: Sequence[tuple[RejectedEvent, bytes]]) -> Batch:
        """Return the batch that keeps refused events, each sealed on its own.

        What a parser's message quotes of the input stays out: messages may hold identity too.
        """
        entries = [
            _Entry(
                problem.code, "", problem.field, self._sealer.seal(_noted(problem, text), _CONTEXT)
            )
            for problem, text in refused
        ]
        return Batch(BatchKind.DEAD, len(entries), msgspec.msgpack.encode(entries))

    def waiting(self) -> Iterator[DeadLetter]:
        """Yield the dead letters that nobody has repaired yet, oldest first by partition."""
        repaired = self._repaired()
        for partition in dead_partitions(self._log):
            for letter in self._of(partition):
                if letter.id not in repaired:
                    yield letter

    def repaired_batch(self, ids: Sequence[str]) -> Batch:
        """Return the batch that says these letters went back into the log."""
        return Batch(BatchKind.DEAD_REPAIRED, len(ids), msgspec.msgpack.encode(list(ids)))

    def _of(self, partition: str) -> Iterator[DeadLetter]:
        for stored in stored_batches(self._log, partition):
            if stored.kind is not BatchKind.DEAD:
                continue
            entries = decode_stored(stored.kind, stored.payload, _entries.decode)
            for place, entry in enumerate(entries):
                note = msgspec.json.decode(self._sealer.open(entry.sealed, _CONTEXT), type=_Note)
                yield DeadLetter(
                    id=f"{partition}/{stored.offset}/{place}",
                    refused_at_ms=stored.at_ms,
                    code=entry.code,
                    message=note.message,
                    field=entry.field,
                    text=note.text.decode("utf-8", "replace"),
                )

    def _repaired(self) -> set[str]:
        ids: set[str] = set()
        for partition in dead_partitions(self._log):
            for stored in stored_batches(self._log, partition):
                if stored.kind is BatchKind.DEAD_REPAIRED:
                    ids.update(decode_stored(stored.kind, stored.payload, _ids.decode))
        return ids


class _Note(msgspec.Struct, frozen=True):
    message: str
    text: bytes


def _noted(problem: RejectedEvent, text: bytes) -> bytes:
    return msgspec.json.encode(_Note(problem.message, text))


Repair = Callable[[dict[str, Any]], dict[str, Any]]


def repaired_event(letter: DeadLetter, repair: Repair) -> bytes:
    """Return the JSON text of a letter after a repair.

    Raises:
        msgspec.DecodeError: the letter is no JSON object; nothing can be set in it.
    """
    try:
        fields = msgspec.json.decode(letter.text, type=dict[str, Any])
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(problem_of(error)[0]) from error
    return msgspec.json.encode(repair(fields))
