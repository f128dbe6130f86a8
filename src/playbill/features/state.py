"""The updater's own copy of item state: records, the keys that find them, and their names."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import key64
from playbill.features.key_table import KeyTable, RecentIds
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, NO_TOPIC
from playbill.features.trending import Trending

Records = npt.NDArray[np.void]
MAX_TOPICS_TOTAL = NO_TOPIC
_FIRST_CAPACITY = 1 << 12


def language_code(tag: str | None) -> int:
    """Return the 16-bit code of a language tag's primary part, 0 for None."""
    return 0 if tag is None else key64(tag.split("-")[0].lower()) % 65_535 + 1


class RecordTable:
    """Records that are only ever added, found by key, in rows numbered by arrival."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.records: Records = np.zeros(_FIRST_CAPACITY, dtype)
        self.count = 0
        self._rows = KeyTable()

    def rows(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return (N,) the row of each key, -1 for an unknown one."""
        return self._rows.find(keys)

    def row(self, key: int) -> int:
        """Return the row of one key, -1 for an unknown one."""
        return int(self._rows.find(np.array([key], np.uint64))[0])

    def add(self, key: int) -> int:
        """Return the row of a key, giving it the next one when it is new."""
        row = self.row(key)
        if row >= 0:
            return row
        row = self.count
        if row == len(self.records):
            grown = np.zeros(2 * row, self.records.dtype)
            grown[:row] = self.records
            self.records = grown
        self.records[row]["key"] = key
        self._rows.put(np.array([key], np.uint64), np.array([row], np.int64))
        self.count += 1
        return row

    def used(self) -> Records:
        """Return (count,) the records in use, a view."""
        return self.records[: self.count]

    def restore(self, records: Records) -> None:
        """Stand where another table stood."""
        self.count = len(records)
        capacity = _FIRST_CAPACITY
        while capacity < self.count:
            capacity *= 2
        self.records = np.zeros(capacity, records.dtype)
        self.records[: self.count] = records
        self._rows = KeyTable()
        self._rows.put(records["key"].copy(), np.arange(self.count, dtype=np.int64))


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
    recent_ids: RecentIds = field(default_factory=RecentIds)
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
        )

    def has_room(self, video: int, author: int) -> bool:
        """Return whether a video and its author are known, or may still be added."""
        known_item = self.items.count < self.item_capacity or self.items.row(video) >= 0
        known_author = self.authors.count < self.group_capacity or self.authors.row(author) >= 0
        return known_item and known_author

    def topic(self, name: str) -> int:
        """Return the number of a topic, the next one when it is new, ``NO_TOPIC`` when full."""
        key = key64(name)
        if self.topics.count >= min(MAX_TOPICS_TOTAL, self.group_capacity):
            row = self.topics.row(key)
            return row if row >= 0 else NO_TOPIC
        return self.topics.add(key)
