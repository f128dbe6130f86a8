"""The updater's own copy of item state: records, the keys that find them, and their names."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import SECOND_MS, key64
from playbill.features.key_table import KeyTable, RecentIds
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, NO_TOPIC, room_for
from playbill.features.names import VideoNames
from playbill.features.surface_rates import SurfaceRates
from playbill.features.trending import Trending

Records = npt.NDArray[np.void]
MAX_TOPICS_TOTAL = NO_TOPIC


def language_code(tag: str | None) -> int:
    """Return the 16-bit code of a language tag's primary part, 0 for None."""
    return 0 if tag is None else key64(tag.split("-")[0].lower()) % 65_535 + 1


class RecordTable:
    """Records that are only ever added, found by key, in rows numbered by arrival."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.records: Records = np.zeros(room_for(0), dtype)
        self.count = 0
        self._rows = KeyTable()
        self._added: dict[int, int] = {}

    def rows(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return (N,) the row of each key, -1 for an unknown one."""
        return self._rows.find(keys)

    def row(self, key: int) -> int:
        """Return the row of one key, -1 for an unknown one."""
        return int(self._rows.find(np.array([key], np.uint64))[0])

    def add(self, key: int) -> int:
        """Return the row of a key, giving it the next one when it is new.

        For tables of few keys, each asked for often: all that were are remembered.
        """
        row = self._added.get(key)
        if row is None:
            row = self._added[key] = int(self.add_many(np.array([key], np.uint64))[0])
        return row

    def add_many(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return (N,) the row of each key; new ones get the next rows, in order of appearance."""
        unknown = np.flatnonzero(self._rows.find(keys) < 0)
        if len(unknown):
            _, firsts = np.unique(keys[unknown], return_index=True)
            new = keys[unknown[np.sort(firsts)]]
            last = self.count + len(new)
            self._reserve(last)
            self.records["key"][self.count : last] = new
            self._rows.put(new, np.arange(self.count, last, dtype=np.int64))
            self.count = last
        return self._rows.find(keys)

    def _reserve(self, rows: int) -> None:
        if rows <= len(self.records):
            return
        grown = np.zeros(room_for(rows), self.records.dtype)
        grown[: self.count] = self.used()
        self.records = grown

    def used(self) -> Records:
        """Return (count,) the records in use, a view."""
        return self.records[: self.count]

    def restore(self, records: Records, count: int | None = None) -> None:
        """Stand where another table stood, over these very records.

        Args:
            records: with room behind those in use, where it has any.
            count: how many are in use; None for all.
        """
        self.count = len(records) if count is None else count
        self._added = {}
        self.records = records.astype(self.records.dtype, copy=False)
        self._rows = KeyTable()
        self._rows.put(self.used()["key"].copy(), np.arange(self.count, dtype=np.int64))


@dataclass(slots=True)
class FeatureState:
    """Everything a fold changes besides viewers' rows.

    ``epoch`` and ``at_ms`` are the epoch it stands at; nothing in it is later than ``at_ms``.
    """

    regions: int
    epoch: int = 0
    at_ms: int = 0
    item_capacity: int = 1 << 20
    group_capacity: int = 1 << 18
    items: RecordTable = field(default_factory=lambda: RecordTable(ITEM_RECORD))
    authors: RecordTable = field(default_factory=lambda: RecordTable(GROUP_RECORD))
    topics: RecordTable = field(default_factory=lambda: RecordTable(GROUP_RECORD))
    names: VideoNames = field(default_factory=VideoNames)
    recent_ids: RecentIds = field(default_factory=RecentIds)
    surfaces: SurfaceRates = field(default_factory=SurfaceRates)
    trending: Trending = field(init=False)

    def __post_init__(self) -> None:
        self.trending = Trending(self.regions + 1)

    @classmethod
    def empty(cls, settings: Settings) -> "FeatureState":
        """Return the state before the first epoch."""
        room = settings.state
        return cls(
            len(settings.regions),
            item_capacity=room.item_capacity,
            group_capacity=room.group_capacity,
            recent_ids=RecentIds(settings.admission.idempotence_s * SECOND_MS),
        )

    def followed(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return (N,) the rows of authors that somebody follows, posted or not; -1 without room.

        Authors without a video take up at most half of the room: anybody may be followed.
        """
        unknown = np.flatnonzero(self.authors.rows(keys) < 0)
        if len(unknown):
            _, firsts = np.unique(keys[unknown], return_index=True)
            room = max(0, self.group_capacity // 2 - self.authors.count)
            self.authors.add_many(keys[unknown[np.sort(firsts)[:room]]])
        return self.authors.rows(keys)

    def topic(self, name: str) -> int:
        """Return the number of a topic, the next one when it is new, ``NO_TOPIC`` when full."""
        key = key64(name)
        if self.topics.count >= min(MAX_TOPICS_TOTAL, self.group_capacity):
            row = self.topics.row(key)
            return row if row >= 0 else NO_TOPIC
        return self.topics.add(key)
