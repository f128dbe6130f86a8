"""Lists that a worker derives from item state between requests: newest, by author, little shown."""

import numpy as np
import numpy.typing as npt

from playbill.features import VISIBLE
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import SLOTS
from playbill.retrieval.view import ItemView, Rows

PER_AUTHOR = 8
NEWEST = 16_384
_KEPT = 2 * NEWEST
POOL = 4_096
LITTLE_SHOWN = 30.0
"""Impressions, decayed with a half-life of 14 days, below which a video is little shown."""
_LOOK_BACK = 200_000
_POOL_EVERY_MS = 5_000
_SHOWN, _SHOWN_HALF_LIFE_MS = next(
    (place, slot.half_life_s * 1000.0)
    for place, slot in reversed(list(enumerate(SLOTS[Scope.ITEM])))
    if slot.signal is Signal.IMPRESSION
)


class DerivedLists:
    """Newest first, newest by author, and the pool that exploration draws from.

    ``fresh`` (N,) the 16,384 newest visible rows published within ``fresh_ms``, newest first.
    ``by_author`` (A, 8) newest rows of each author, -1 for none. ``pool`` (P,) the newest 4,096
    visible rows that were shown little, of the last 200,000; looked for every five seconds.
    """

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms
        self._known = 0
        self._pool_at_ms = 0
        self._young: Rows = np.empty(0, np.int64)
        self.fresh: Rows = np.empty(0, np.int64)
        self.by_author: Rows = np.full((0, PER_AUTHOR), -1, np.int64)
        self.pool: Rows = np.empty(0, np.int64)

    def refresh(self, view: ItemView, now_ms: int) -> None:
        """Come up to date with item state; costs what was added, and every 5 s a longer look."""
        new = np.arange(self._known, view.count)
        self._refresh_fresh(view, new, now_ms)
        if len(self.pool) < POOL or not 0 <= now_ms - self._pool_at_ms < _POOL_EVERY_MS:
            self._pool_at_ms = now_ms
            self._refresh_pool(view, now_ms)
        self._refresh_authors(view)

    def _refresh_fresh(self, view: ItemView, new: Rows, now_ms: int) -> None:
        """Keep more than are listed, since some of them are hidden and may come back."""
        rows = np.concatenate([self._young, new])
        created_ms = view.tables.items["created_at_ms"][rows]
        rows = rows[np.lexsort((rows, -created_ms))]
        self._young = rows[: 2 * NEWEST]
        young = view.tables.items[self._young]
        listed = (young["flags"] & VISIBLE != 0) & (
            young["created_at_ms"] > now_ms - self._fresh_ms
        )
        self.fresh = self._young[listed][:NEWEST]

    def _refresh_pool(self, view: ItemView, now_ms: int) -> None:
        first = max(0, view.count - _LOOK_BACK)
        recent = view.tables.items[first:]
        age = np.maximum(now_ms - recent["landmark_ms"], 0) / _SHOWN_HALF_LIFE_MS
        shown = recent["slots"][:, _SHOWN] * np.exp2(-age)
        little = first + np.flatnonzero((recent["flags"] & VISIBLE != 0) & (shown < LITTLE_SHOWN))
        self.pool = little[-POOL:].astype(np.int64)

    def _refresh_authors(self, view: ItemView) -> None:
        authors = len(view.tables.authors)
        if authors > len(self.by_author):
            grown = np.full((max(authors, 2 * len(self.by_author)), PER_AUTHOR), -1, np.int64)
            grown[: len(self.by_author)] = self.by_author
            self.by_author = grown
        new = np.arange(max(self._known, 0), view.count)
        if not len(new):
            return
        owner = view.tables.items["author"][new].astype(np.int64)
        order = np.lexsort((-new, owner))
        new, owner = new[order], owner[order]
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        rank = np.arange(len(owner)) - np.repeat(starts, np.diff(np.r_[starts, len(owner)]))
        arrived = np.bincount(owner, minlength=len(self.by_author))
        _shift(self.by_author, arrived)
        kept = rank < PER_AUTHOR
        self.by_author[owner[kept], rank[kept]] = new[kept]
        self._known = view.count


def _shift(table: Rows, arrived: npt.NDArray[np.int64]) -> None:
    """Make room at the front of each row of ``table`` for as many entries as arrived."""
    for amount in range(1, PER_AUTHOR):
        here = arrived == amount
        table[here, amount:] = table[here, : PER_AUTHOR - amount]
        table[here, :amount] = -1
    table[arrived >= PER_AUTHOR] = -1
