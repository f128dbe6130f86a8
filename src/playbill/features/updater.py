"""The updater: it tails the log, closes epochs, folds them and publishes what changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from playbill.contracts import EventLog, PartitionWriter, Settings, StoredBatch, UserState
from playbill.core import Clock, DependencyUnavailable
from playbill.events import EpochInput, EpochLog, EpochRecord
from playbill.events.partitions import by_precedence, fact_partitions
from playbill.features.batched_users import BatchedUsers
from playbill.features.checkpoint import NoCheckpoint, load_checkpoint, save_checkpoint
from playbill.features.fold import Fold, Folded
from playbill.features.pace import Pace
from playbill.features.pages import Rest
from playbill.features.replay import Replay
from playbill.features.state import FeatureState

_PAGES = 8, 512
"""Batches of the first page that is read, and of the largest: one may hold a thousand records."""


class Publisher(Protocol):
    """Where readers find item state."""

    def publish(
        self,
        state: FeatureState,
        rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
        lag_ms: int,
    ) -> None:
        """Make changed rows and the new epoch visible together."""
        ...

    def publish_all(self, state: FeatureState) -> None:
        """Make a whole state visible."""
        ...


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What one epoch did, for counters."""

    epoch: int
    events: int
    duplicates: int
    viewability: int
    unknown_videos: int
    unknown_authors: int
    video_keys_taken: int
    videos_without_room: int
    lag_ms: int
    more: bool
    """Whether it was full, so that more may wait."""


@dataclass(slots=True)
class _Cut:
    """What the next epoch holds: up to which offset of each partition, and since when it waits."""

    content: EpochInput
    upto: dict[str, int]
    first_at_ms: int
    records: int = 0
    full: bool = False
    alone: bool = False
    """Whether videos and take-downs go ahead of events that wait."""

    def add(self, partition: str, stored: StoredBatch) -> None:
        """Take the next batch of a partition in."""
        self.content.add(stored.kind, stored.payload)
        self.upto[partition] = stored.offset
        self.first_at_ms = min(self.first_at_ms, stored.at_ms)
        self.records += stored.count


class Updater:
    """Move state along the log.

    Args:
        log: read; the epochs partition is written through ``epochs``.
        epochs: writer of the epochs partition.
        users: the user store, as its writer.
        publisher: where item state becomes visible.
        checkpoints: folder of the checkpoint.
        clock: stamps epochs.
        settings: intervals and limits.
    """

    def __init__(
        self,
        log: EventLog,
        epochs: PartitionWriter,
        users: UserState,
        publisher: Publisher,
        checkpoints: Path,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._log = log
        self._epochs = epochs
        self._users = users
        self._publisher = publisher
        self.checkpoints = checkpoints
        self._clock = clock
        self._settings = settings
        self._last = EpochRecord(epoch=0, at_ms=0, upto={})
        self._pace = Pace(settings.epochs.max_records)
        self._events_wait = False
        self.state = FeatureState.empty(settings)

    def recover(
        self,
        each: Callable[[int], None] | None = None,
        explain: Callable[[str], None] | None = None,
    ) -> int:
        """Come to where the log's last epoch is and publish it; return how many were folded.

        Args:
            each: called with the number of each epoch that was folded; a sign of life.
            explain: told once why the log is folded from its beginning, where it is.

        Raises:
            DependencyUnavailable: the log is older than the state, so part of it is missing.
        """
        last = EpochLog(self._log).last()
        loaded = self._loaded()
        if isinstance(loaded, NoCheckpoint):
            if explain is not None and last.epoch:
                explain(f"{loaded.why}; {last.epoch:,} epochs are folded from the beginning")
            loaded = FeatureState.empty(self._settings)
        state = loaded
        if max(state.epoch, self._users.epoch()) > last.epoch:
            raise DependencyUnavailable(
                f"state stands at epoch {max(state.epoch, self._users.epoch())}, "
                f"the log ends at {last.epoch}: part of the log is missing",
                code="log_unavailable",
                hint="restore the log folder, or remove users/ and checkpoints/ to fold anew",
            )
        began = state.epoch
        users = BatchedUsers(self._users)
        Replay(self._log, self._settings, state, users).run(each=each)
        users.flush()
        self.state, self._last = state, last
        self._publisher.publish_all(state)
        return state.epoch - began

    def _loaded(self) -> FeatureState | NoCheckpoint:
        """Return the state of the checkpoint, or why it is of no use beside this user store."""
        loaded = load_checkpoint(self.checkpoints, self._settings)
        if isinstance(loaded, FeatureState) and self._users.epoch() < loaded.epoch:
            return NoCheckpoint(
                f"the checkpoint stands at epoch {loaded.epoch:,}, the user store at "
                f"{self._users.epoch():,}"
            )
        return loaded

    def step(self) -> EpochReport | None:
        """Close an epoch over what is new, fold it and publish it; None when nothing is new.

        Raises:
            DependencyUnavailable: the epoch could not be recorded (nothing changed), or item state
                or the user store refused it (this process must recover).
        """
        cut = self._cut()
        if not cut.records:
            self._events_wait = False
            return None
        content = cut.content
        record = EpochRecord(epoch=content.epoch, at_ms=content.at_ms, upto=cut.upto)
        EpochLog(self._log).append(self._epochs, record)
        self._last = record
        self._events_wait = cut.full and not cut.alone
        began_s = self._clock.elapsed_s()
        folded = Fold(self._settings, self.state, self._users).absorb(content)
        # Words, then items, then rows: whoever finds an item finds its words, and a request waits
        # for items that are behind its viewer's row.
        if folded.texts:
            self._users.put_texts(folded.texts)
        lag_ms = max(self._clock.now_ms() - cut.first_at_ms, 0)
        self._publisher.publish(self.state, _changed(folded), lag_ms)
        self._users.commit(content.epoch, folded.users, {})
        self._pace.folded(cut.records, self._clock.elapsed_s() - began_s)
        return EpochReport(
            content.epoch,
            folded.events,
            folded.duplicates,
            folded.viewability,
            folded.unknown_videos,
            folded.unknown_authors,
            folded.video_keys_taken,
            folded.videos_without_room,
            max(self._clock.now_ms() - cut.first_at_ms, 0),
            more=cut.full or cut.alone,
        )

    def checkpoint(self, folder: Path | None = None, rest: Rest = lambda: None) -> None:
        """Write item state down, into another folder than its own where one is given.

        Args:
            folder: None for its own.
            rest: called after every few megabytes.

        Raises:
            OSError: the disk refused; the checkpoint before it stays.
        """
        save_checkpoint(self.checkpoints if folder is None else folder, self.state, rest)

    def _cut(self) -> _Cut:
        """Read what is new, up to the largest epoch that is allowed.

        Videos first, then take-downs, so that no backlog of events holds them up: behind a full
        epoch they have one to themselves, which is over in a moment. What take-downs and events
        there are is taken as far as it went before videos were looked for: neither can come into
        an epoch before a video that was there before it.
        """
        now_ms = max(self._clock.now_ms(), self._last.at_ms)
        _, takedowns, events = by_precedence(fact_partitions(self._log))
        ends = {name: self._log.last_offset(name) for name in (*takedowns, *events)}
        # Looked for again: a process that has just come may have put a video into its first one.
        videos = by_precedence(fact_partitions(self._log)).videos
        found: dict[str, list[StoredBatch]] = {}
        left = self._settings.epochs.max_records
        for partition in (*videos, *takedowns):
            found[partition] = self._new(partition, ends.get(partition), left)
            left -= _records(found[partition])
        alone = self._events_wait and any(found.values())
        room = min(left, self._pace.room_records())
        for partition in events if left > 0 and not alone else ():
            found[partition] = self._new(partition, ends[partition], room)
            room -= _records(found[partition])
        cut = _Cut(EpochInput(self._last.epoch + 1, now_ms), dict(self._last.upto), now_ms)
        for partition in sorted(found):
            for stored in found[partition]:
                cut.add(partition, stored)
        cut.full, cut.alone = room <= 0, alone
        return cut

    def _new(self, partition: str, end: int | None, room: int) -> list[StoredBatch]:
        """Return batches past the last epoch and not past ``end``, until they fill ``room``."""
        found: list[StoredBatch] = []
        after = self._last.upto.get(partition, 0)
        size, largest = _PAGES
        while room > 0:
            page = self._log.read(partition, after, size, end)
            for stored in page:
                found.append(stored)
                room -= stored.count
                if room <= 0:
                    break
            if len(page) < size:
                break
            after, size = page[-1].offset, min(2 * size, largest)
        return found


def _records(batches: Sequence[StoredBatch]) -> int:
    return sum(stored.count for stored in batches)


def _changed(
    folded: Folded,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    items, authors, topics = (
        np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)
        for rows in (folded.items, folded.authors, folded.topics)
    )
    return items, authors, topics
