"""Taking a past in: windows of history become epochs, as if they had happened here."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from playbill.app.room import Room
from playbill.contracts import (
    Batch,
    Event,
    EventLog,
    Fields,
    RejectedEvent,
    Settings,
    StoredUser,
    StoredVideo,
    User,
    Video,
)
from playbill.core import InvalidInput, PlaybillError, key64
from playbill.events import (
    Admission,
    EpochLog,
    EpochRecord,
    encode_events,
    encode_users,
    encode_videos,
    rejection_of,
    store_user,
    store_video,
)
from playbill.events.partitions import EPOCHS_PARTITION
from playbill.privacy import Pseudonyms

HISTORY_PARTITION = "history"
_WINDOWS_PER_COMMIT = 256


class LogSink:
    """A ``HistorySink`` over a log that nothing else writes to."""

    def __init__(self, log: EventLog, settings: Settings, pseudonyms: Pseudonyms) -> None:
        self._admission = Admission(settings, pseudonyms, None)
        # The updater holds the epochs: asked first, a served home costs nothing to refuse.
        self._epoch_writer = log.writer(EPOCHS_PARTITION)
        self._writer = log.writer(HISTORY_PARTITION)
        self._epoch_log = EpochLog(log)
        self._last = self._epoch_log.last()
        self._offset = log.last_offset(HISTORY_PARTITION)
        self._pseudonyms = pseudonyms
        try:
            self._room = Room(settings, log)
        except PlaybillError:
            self._writer.close()
            self._epoch_writer.close()
            raise
        self._held: list[Batch] = []
        self._epochs: list[EpochRecord] = []

    def videos(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        """Store videos as posted at an instant; return those refused, by index.

        One that finds no room in the catalogue is refused with ``item_capacity``.
        """
        regions = self._admission.regions

        def resolve(video: Video) -> StoredVideo:
            stored = store_video(video, at_ms, regions)
            self._room.take(stored)
            return stored

        return self._store(bodies, at_ms, Video, resolve, encode_videos)

    def users(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        """Store viewers' facts; return those refused, by index."""
        regions, pseudonyms = self._admission.regions, self._pseudonyms

        def resolve(user: User) -> StoredUser:
            stored = store_user(user, at_ms, pseudonyms, regions)
            self._room.follow(map(key64, stored.follows or ()))
            return stored

        return self._store(bodies, at_ms, User, resolve, encode_users)

    def events(self, bodies: Sequence[Fields], received_at_ms: int) -> list[RejectedEvent]:
        """Store one window of events as one epoch; return those refused, by index."""
        self._check(received_at_ms)
        typed, refused = _typed(bodies, Event)
        admitted = self._admission.admit(typed, received_at_ms)
        if len(admitted.records):
            self._room.events(admitted.records)
            self._append(encode_events(admitted.records), received_at_ms)
        return sorted([*refused, *admitted.rejected], key=lambda problem: problem.index)

    def close(self) -> None:
        """Store what is held back and give the partitions up.

        Raises:
            DependencyUnavailable: the log refused what was held back.
        """
        try:
            self._flush()
        finally:
            self._writer.close()
            self._epoch_writer.close()

    def _store(
        self,
        bodies: Sequence[Fields],
        at_ms: int,
        kind: type[Any],
        resolve: Callable[[Any], Any],
        encode: Callable[[Sequence[Any]], Batch],
    ) -> list[RejectedEvent]:
        """Store what can be resolved to a stored value; return the others, by index."""
        self._check(at_ms)
        typed, refused = _typed(bodies, kind)
        good = []
        for index, value in typed:
            try:
                good.append(resolve(value))
            except InvalidInput as refusal:
                refused.append(rejection_of(index, refusal))
        if good:
            self._append(encode(good), at_ms)
        return sorted(refused, key=lambda problem: problem.index)

    def _append(self, batch: Batch, at_ms: int) -> None:
        """Hold a window back until there are enough to share one commit."""
        self._held.append(batch)
        self._offset += 1
        upto = {**self._last.upto, HISTORY_PARTITION: self._offset}
        self._last = EpochRecord(epoch=self._last.epoch + 1, at_ms=at_ms, upto=upto)
        self._epochs.append(self._last)
        if len(self._held) >= _WINDOWS_PER_COMMIT:
            self._flush()

    def _flush(self) -> None:
        """Store what is held back: the batches first, then the epochs that name them."""
        if self._held:
            self._writer.append(self._held, self._last.at_ms)
            self._held = []
        if self._epochs:
            self._epoch_log.append(self._epoch_writer, *self._epochs)
            self._epochs = []

    def _check(self, at_ms: int) -> None:
        if at_ms < self._last.at_ms:
            raise InvalidInput(
                f"the history begins at {at_ms}, the log already stands at {self._last.at_ms}",
                hint="import histories oldest first, into a home that has not served yet",
            )


def _typed(
    bodies: Sequence[Fields], kind: type[Any]
) -> tuple[list[tuple[int, Any]], list[RejectedEvent]]:
    typed: list[tuple[int, Any]] = []
    refused: list[RejectedEvent] = []
    for index, body in enumerate(bodies):
        try:
            typed.append((index, msgspec.convert(body, kind)))
        except msgspec.ValidationError as error:
            refused.append(rejection_of(index, error))
    return typed, refused
