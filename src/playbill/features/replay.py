"""Replay: the log again, through the same fold, from nothing or from where a state stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playbill.contracts import EventLog, Settings, UserState
from playbill.events import EpochInput, EpochLog, read_epoch
from playbill.features.fold import Fold, Folded
from playbill.features.memory_users import MemoryUserState
from playbill.features.state import FeatureState


@dataclass(slots=True)
class Replay:
    """A log being folded again.

    Args:
        log: read only.
        settings: regions and labels, as the live fold had them.
        state: where item state stands; a new one for a replay from nothing.
        users: where viewers' rows stand; it must be at the same epoch or later.
    """

    log: EventLog
    settings: Settings
    state: FeatureState
    users: UserState

    @classmethod
    def from_nothing(cls, log: EventLog, settings: Settings) -> "Replay":
        """Return a replay that begins with an empty state in memory."""
        return cls(log, settings, FeatureState.empty(settings), MemoryUserState())

    def contents(self, up_to: int | None = None) -> Iterator[EpochInput]:
        """Yield what each epoch past the state holds, in order, without folding it."""
        epochs = EpochLog(self.log)
        before = epochs.get(self.state.epoch)
        for this in epochs.after(self.state.epoch, up_to):
            yield read_epoch(self.log, before, this)
            before = this

    def fold(self, content: EpochInput) -> Folded:
        """Absorb one epoch and commit its viewers' rows; rows already there are left alone."""
        ahead = content.epoch > self.users.epoch()
        folded = Fold(self.settings, self.state, self.users).absorb(content, with_users=ahead)
        if ahead:
            self.users.commit(content.epoch, folded.users, folded.texts)
        return folded

    def run(self, up_to: int | None = None, each: Callable[[int], None] | None = None) -> int:
        """Fold every epoch past the state and return the last one's number.

        Args:
            each: called with the number of each epoch that was folded.
        """
        for content in self.contents(up_to):
            self.fold(content)
            if each is not None:
                each(content.epoch)
        return self.state.epoch
