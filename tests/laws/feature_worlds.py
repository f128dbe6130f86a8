"""A small world whose log is written by hand: viewers, videos, epochs, and the live updater."""

from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import (
    REQUEST_RECORD,
    SHOWN_RECORD,
    Batch,
    BatchKind,
    Event,
    EventType,
    Settings,
    Takedown,
    User,
    UserState,
    Video,
)
from playbill.core import FixedClock, key64, request_name
from playbill.events import (
    Admission,
    EpochInput,
    MemoryEventLog,
    encode_events,
    encode_impressions,
    encode_takedowns,
    encode_users,
    encode_videos,
    store_user,
    store_video,
)
from playbill.events.partitions import EPOCHS_PARTITION
from playbill.features import (
    GROUP_RECORD,
    ITEM_RECORD,
    TRENDING_LIST,
    USER_RECORD,
    VIDEO_NAME,
    Assembler,
    FeatureState,
    MemoryUserState,
    Replay,
    ServedTrace,
    Updater,
    empty_user,
    features_digest,
    state_digest,
    tables_of,
)
from playbill.privacy import MemoryKeyStore, Pseudonyms

START_MS = 1_700_000_000_000
"""Tuesday 14 November 2023, 22:13:20 UTC."""

SETTINGS = Settings(regions=("north", "south"), surfaces=("home", "clips"))
PSEUDONYMS = Pseudonyms(MemoryKeyStore().secret("pseudonym"))
PARTITIONS = ("web-1", "web-2")
CATALOGUE = "catalogue-web-1"
"""Where videos overtake what waits in the others."""
TAKEDOWNS = "takedowns-web-1"
"""Where take-downs overtake all but videos."""
NOWHERE = Path("no-such-folder")
"""Where there never is a checkpoint."""
_HEADER = np.dtype([(name, "<i8") for name in ("items", "authors", "topics", "epoch", "at_ms")])

Rows = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


class MemoryItems:
    """The fake of shared item state: a ``Publisher`` and a ``SharedView`` in one process."""

    def __init__(self, regions: int = 2, capacity: int = 256) -> None:
        self.items = np.zeros(capacity, ITEM_RECORD)
        self.authors = np.zeros(capacity, GROUP_RECORD)
        self.topics = np.zeros(capacity, GROUP_RECORD)
        self.names = np.zeros(capacity, VIDEO_NAME)
        self.trending = np.full((regions + 1, TRENDING_LIST), -1, np.int64)
        self.header = np.zeros(1, _HEADER)
        self.published = 0

    def publish(self, state: FeatureState, rows: Rows, lag_ms: int) -> None:
        for target, source, changed in zip(
            (self.items, self.authors, self.topics),
            (state.items, state.authors, state.topics),
            rows,
            strict=True,
        ):
            target[changed] = source.records[changed]
        self.names[rows[0]] = state.names.names[rows[0]]
        self.trending[:] = state.trending.top
        head = self.header[0]
        head["items"], head["authors"] = state.items.count, state.authors.count
        head["topics"] = state.topics.count
        head["epoch"], head["at_ms"] = state.epoch, state.at_ms
        self.published += 1

    def publish_all(self, state: FeatureState) -> None:
        tables = (state.items, state.authors, state.topics)
        items, authors, topics = (np.arange(table.count) for table in tables)
        self.publish(state, (items, authors, topics), 0)

    def sequence(self) -> int:
        return 2 * self.published

    def counts(self) -> tuple[int, int, int, int, int]:
        items, authors, topics, epoch, at_ms = self.header.item()
        return items, authors, topics, epoch, at_ms


class World:
    """A log, a clock and the updater that follows them; names instead of keys."""

    def __init__(
        self,
        checkpoints: Path = NOWHERE,
        *,
        settings: Settings = SETTINGS,
        users: UserState | None = None,
        items: MemoryItems | None = None,
    ) -> None:
        self.settings = settings
        self.checkpoints = checkpoints
        self.log = MemoryEventLog()
        self.clock = FixedClock(START_MS)
        self.users = users if users is not None else MemoryUserState()
        self.items = items if items is not None else MemoryItems(len(settings.regions))
        self._writers = {
            name: self.log.writer(name) for name in (*PARTITIONS, CATALOGUE, TAKEDOWNS)
        }
        self._admission = Admission(settings, PSEUDONYMS, None)
        self._events = count(1)
        self._requests = count(1)
        self.updater = self.start()

    @property
    def state(self) -> FeatureState:
        return self.updater.state

    def start(self) -> Updater:
        """Return a new updater in the place of whatever ran before."""
        self.log.release(EPOCHS_PARTITION)
        self.updater = Updater(
            self.log,
            self.log.writer(EPOCHS_PARTITION),
            self.users,
            self.items,
            self.checkpoints,
            self.clock,
            self.settings,
        )
        return self.updater

    def recover(self) -> int:
        return self.start().recover()

    def step(self, after_ms: int = 1_000):
        self.clock.advance(after_ms)
        return self.updater.step()

    def post(self, *videos: Video, into: str = "web-1") -> None:
        now_ms, regions = self.clock.now_ms(), self._admission.regions
        stored = [store_video(video, now_ms, regions) for video in videos]
        self._append(into, encode_videos(stored))

    def take_down(self, *names: str, into: str = "web-1") -> None:
        now_ms = self.clock.now_ms()
        gone = [Takedown(key=key64(name), at_ms=now_ms) for name in names]
        self._append(into, encode_takedowns(gone))

    def tell(self, *users: User, into: str = "web-1") -> None:
        now_ms, regions = self.clock.now_ms(), self._admission.regions
        self._append(
            into, encode_users([store_user(user, now_ms, PSEUDONYMS, regions) for user in users])
        )

    def act(self, *events: Event, into: str = "web-1") -> None:
        admitted = self._admission.admit(list(enumerate(events)), self.clock.now_ms())
        assert admitted.rejected == []
        self._append(into, encode_events(admitted.records))

    def event(self, kind: str, viewer: str, video: str | None = None, **fields) -> Event:
        """Return an event of this instant with an id of its own."""
        fields = {"at": self.clock.now_ms(), "event_id": f"e{next(self._events)}", **fields}
        if kind == "watch":
            fields.setdefault("watch_ms", 0)
        return Event(type=EventType(kind), user_id=viewer, video_id=video, **fields)

    def serve(
        self,
        viewer: str,
        videos: list[str],
        *,
        at_ms: int | None = None,
        region: int = 0,
        surface: int = 0,
        epochs: tuple[int, int] | None = None,
        personalised: bool = True,
        into: str = "web-2",
    ) -> int:
        """Record a served feed and return its request key."""
        request = next(self._requests)
        now_ms = self.clock.now_ms()
        head, shown = np.zeros(1, REQUEST_RECORD), np.zeros(len(videos), SHOWN_RECORD)
        head["request"], head["count"] = request, len(videos)
        head["user"] = np.frombuffer(PSEUDONYMS.user(viewer), "<u8")
        head["at_ms"] = now_ms if at_ms is None else at_ms
        head["surface"] = surface
        head["region"], head["settled"], head["personalised"] = region, 1, personalised
        now = (self.updater.state.epoch, self.users.epoch())
        head["item_epoch"], head["user_epoch"] = now if epochs is None else epochs
        shown["video"] = [key64(video) for video in videos]
        self._append(into, encode_impressions([(head, shown)]))
        return request

    def rank(self, viewer: str, videos: list[str], *, traced: bool = True, **serving):
        """Serve a feed with the features read as the server reads them; return those."""
        row = self.viewer(viewer)
        at_ms = max(self.clock.now_ms(), self.state.at_ms, int(row["last_at_ms"][0]))
        rows = np.array([self.row(video) for video in videos], np.int64)
        features = Assembler().read(tables_of(self.state), rows, row, at_ms).copy()
        request = self.serve(viewer, videos, at_ms=at_ms, **serving)
        if traced:
            keys = self.state.items.records["key"][rows]
            trace = ServedTrace(request, features_digest(), keys.tobytes(), features.tobytes())
            self._append("web-2", Batch(BatchKind.TRACES, 1, msgspec.msgpack.encode(trace)))
        return request, features

    def request_id(self) -> str:
        """Return the id of a feed of ours that nobody recorded."""
        return request_name(1_000_000 + next(self._requests))

    def row(self, video: str) -> int:
        return self.state.items.row(key64(video))

    def viewer(self, name: str):
        """Return the (1,) row of a viewer, the empty one for a stranger."""
        data = self.users.read(PSEUDONYMS.user(name))[0]
        return empty_user() if data is None else np.frombuffer(data, USER_RECORD).copy()

    def replayed(self) -> Replay:
        replay = Replay.from_nothing(self.log, self.settings)
        replay.run()
        return replay

    def contents(self) -> list[EpochInput]:
        """Return what the log holds, epoch by epoch."""
        return list(Replay.from_nothing(self.log, self.settings).contents())

    def assert_replay_is_live(self) -> None:
        """Fold the log from nothing and find the same bits: item state, rows and texts."""
        replay = self.replayed()
        assert state_digest(replay.state) == state_digest(self.state)
        assert list(replay.users.rows()) == list(self.users.rows())

    def _append(self, partition: str, batch) -> None:
        self._writers[partition].append([batch], self.clock.now_ms())


def video(name: str, author: str = "ada", topics: tuple[str, ...] = ("tea",), **fields) -> Video:
    """Return a video of a minute."""
    fields = {"duration_ms": 60_000, **fields}
    return Video(video_id=name, author_id=author, topics=list(topics), **fields)


def user_key(name: str) -> bytes:
    return PSEUDONYMS.user(name)
