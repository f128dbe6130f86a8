"""The room that a history finds in a catalogue, counted as the fold will count it."""

from collections.abc import Iterable

from playbill.contracts import EventLog, Settings, StoredVideo
from playbill.core import KEY_ABSENT, InvalidInput, key64
from playbill.events import EpochInput, EpochLog, read_epoch
from playbill.features.expand import FOLLOW, Records


class Room:
    """Videos and authors that a log names, and how many more the settings have room for.

    Args:
        settings: how large the state may grow.
        log: what it holds already takes its part of the room.

    Raises:
        DependencyUnavailable: the log is missing part of an epoch.
    """

    def __init__(self, settings: Settings, log: EventLog) -> None:
        self._state = settings.state
        self._videos: set[int] = set()
        self._authors: set[int] = set()
        epochs = EpochLog(log)
        before = epochs.get(0)
        for this in epochs.after(0):
            self._absorb(read_epoch(log, before, this))
            before = this

    def take(self, video: StoredVideo) -> None:
        """Count a video and its author, in the order of the log.

        Raises:
            InvalidInput: there is no room for one of them; neither is counted.
        """
        author = key64(video.author_id)
        for known, key, setting, noun in (
            (self._videos, video.key, "item_capacity", "videos"),
            (self._authors, author, "group_capacity", "authors"),
        ):
            most = getattr(self._state, setting)
            if key not in known and len(known) >= most:
                raise InvalidInput(
                    f"there is room for {most:,} {noun} (state.{setting}), and it is taken",
                    code="item_capacity",
                    hint=f"raise state.{setting} in playbill.toml and import into a new home",
                )
        self._videos.add(video.key)
        self._authors.add(author)

    def follow(self, authors: Iterable[int]) -> None:
        """Count authors by key that somebody follows; half of the room is for those at most."""
        for key in authors:
            if len(self._authors) < self._state.group_capacity // 2:
                self._authors.add(key)

    def events(self, records: Records) -> None:
        """Count the authors that (E,) ``EVENT_RECORD`` follow by name."""
        authors = records["author"][records["kind"] == FOLLOW]
        self.follow(authors[authors != KEY_ABSENT].tolist())

    def _absorb(self, content: EpochInput) -> None:
        for video in content.videos:
            try:
                self.take(video)
            except InvalidInput:
                continue
        for facts in content.users:
            self.follow(map(key64, facts.follows or ()))
        self.events(content.event_records())
