"""Small logs with a known truth, lived through the very fold that serves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from playbill.contracts import (
    EVENT_CODES,
    EVENT_RECORD,
    REQUEST_RECORD,
    SHOWN_RECORD,
    Batch,
    EventType,
    Settings,
    StoredVideo,
)
from playbill.core import DAY_MS, FOREIGN_REQUEST, HOUR_MS, MINUTE_MS, SECOND_MS, key64
from playbill.events import (
    EpochLog,
    EpochRecord,
    MemoryEventLog,
    encode_events,
    encode_impressions,
    encode_videos,
    read_epoch,
)
from playbill.events.partitions import EPOCHS_PARTITION
from playbill.features import (
    USER_RECORD,
    Assembler,
    FeatureState,
    Fold,
    MemoryUserState,
    empty_user,
    tables_of,
)

STARTED_AT_MS = 1_700_006_400_000
"""A midnight in UTC."""
SETTINGS = Settings(regions=("north", "south"), surfaces=("home", "related"))
TOPICS = 4


def user_key(number: int) -> bytes:
    return np.array([number + 1, 77], np.uint64).tobytes()


def video(number: int, **changes: object) -> StoredVideo:
    known: dict[str, object] = {
        "key": key64(f"video{number}"),
        "video_id": f"video{number}",
        "author_id": f"author{number % 7}",
        "title": "",
        "topics": [f"topic{number % TOPICS}"],
        "language": "en",
        "duration_ms": 30_000,
        "regions": [],
        "age_rating": 0,
        "created_at_ms": STARTED_AT_MS - DAY_MS,
        "posted_at_ms": STARTED_AT_MS - DAY_MS,
    }
    return StoredVideo(**{**known, **changes})  # type: ignore[arg-type]


@dataclass
class LivingLog:
    """A log and the live state over it; every epoch is folded as it closes."""

    settings: Settings = SETTINGS
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    numbers: int = 0

    def __post_init__(self) -> None:
        self._writer = self.log.writer("facts")
        self._epochs = self.log.writer(EPOCHS_PARTITION)
        self._last = EpochRecord(epoch=0, at_ms=0, upto={})
        self.state = FeatureState(len(self.settings.regions))
        self.users = MemoryUserState()
        self._assembler = Assembler()

    def close(self, batches: list[Batch], at_ms: int) -> None:
        """Append, record the epoch, fold it."""
        offset = self._writer.append(batches, at_ms)
        record = EpochRecord(epoch=self._last.epoch + 1, at_ms=at_ms, upto={"facts": offset})
        EpochLog(self.log).append(self._epochs, record)
        content = read_epoch(self.log, self._last, record)
        self._last = record
        folded = Fold(self.settings, self.state, self.users).absorb(content)
        self.users.commit(content.epoch, folded.users, folded.texts)

    def event(self, kind: EventType, user: int, number: int, at_ms: int, **more: int) -> np.void:
        """Return one event with an id of its own, unless ``event`` says another."""
        self.numbers += 1
        record = np.zeros(1, EVENT_RECORD)
        record["event"] = [more.pop("event", self.numbers), 5]
        record["user"] = np.frombuffer(user_key(user), np.uint64)
        record["video"] = key64(f"video{number}")
        record["at_ms"] = at_ms
        record["received_at_ms"] = at_ms
        record["kind"] = EVENT_CODES[kind]
        record["position"] = -1
        record["surface"] = 1
        record["region"] = 1 + user % 2
        for name, value in more.items():
            record[name] = value
        return record[0]

    def events(self, records: list[np.void], at_ms: int) -> None:
        """Close an epoch that holds these events."""
        self.close([encode_events(np.array(records, EVENT_RECORD))], at_ms)

    def serve(
        self, request: int, user: int, numbers: list[int], at_ms: int
    ) -> tuple[Batch, npt.NDArray[np.float32]]:
        """Return the impression record of a feed ranked now, and the features that ranked it."""
        keys = np.array([key64(f"video{number}") for number in numbers], np.uint64)
        stored, user_epoch = self.users.read(user_key(user))
        row = np.frombuffer(stored or empty_user().tobytes(), USER_RECORD)
        rows = self.state.items.rows(keys)
        features = self._assembler.read(tables_of(self.state), rows, row, at_ms).copy()
        head = np.zeros(1, REQUEST_RECORD)
        head["request"], head["at_ms"], head["count"] = request, at_ms, len(numbers)
        head["user"] = np.frombuffer(user_key(user), np.uint64)
        head["item_epoch"], head["user_epoch"] = self.state.epoch, user_epoch
        head["settled"] = head["personalised"] = head["surface"] = 1
        head["region"], head["bundle"], head["tier"] = 1 + user % 2, 99, 0
        shown = np.zeros(len(numbers), SHOWN_RECORD)
        shown["video"], shown["propensity"], shown["source"] = keys, 0.5, 3
        return encode_impressions([(head, shown)]), features


def foreign(number: int) -> int:
    """Return the key of a request that the platform, not we, answered."""
    return FOREIGN_REQUEST + number + 1


def exposed_world(
    days: int = 6,
    users: int = 40,
    videos: int = 60,
    seed: int = 3,
    p_taken: tuple[float, float] = (0.7, 0.15),
) -> LivingLog:
    """Return a log of reported impressions; viewers take what is of their topic.

    Viewer u likes topic u % 4: a click has the first probability there and the second elsewhere,
    more on videos with a small number; half of the clicks become long views, a tenth likes.
    """
    world, random = LivingLog(), np.random.default_rng(seed)
    world.close([encode_videos([video(n) for n in range(videos)])], STARTED_AT_MS - HOUR_MS)
    request = 0
    for hour in range(0, 24 * days, 2):
        at_ms = STARTED_AT_MS + hour * HOUR_MS
        records = []
        for user in random.choice(users, users // 2, replace=False).tolist():
            number = int(random.integers(videos))
            request += 1
            same = number % TOPICS == user % TOPICS
            p = min(p_taken[0 if same else 1] + 0.2 * (1 - number / videos), 0.95)
            records += _exposure(world, random, (user, number, at_ms, foreign(request)), p)
        records.sort(key=lambda record: int(record["at_ms"]))
        world.events(records, at_ms + 30 * MINUTE_MS)
    return world


def _exposure(
    world: LivingLog, random: np.random.Generator, what: tuple[int, int, int, int], p: float
) -> list[np.void]:
    user, number, at_ms, request = what
    shown_at_ms = at_ms + int(random.integers(10 * MINUTE_MS))
    more = {"request": request}
    found = [world.event(EventType.IMPRESSION, user, number, shown_at_ms, **more)]
    if random.random() >= p:
        if random.random() < 0.05:
            after = shown_at_ms + 5 * SECOND_MS
            found.append(world.event(EventType.HIDE, user, number, after, **more))
        return found
    after = shown_at_ms + MINUTE_MS
    found.append(world.event(EventType.CLICK, user, number, after, **more))
    if random.random() < 0.5:
        found.append(world.event(EventType.WATCH, user, number, after, watch_ms=25_000, **more))
    if random.random() < 0.1:
        found.append(world.event(EventType.LIKE, user, number, after, **more))
    return found
