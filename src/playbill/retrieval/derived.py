"""Lists that a worker derives from item state between requests: newest, by author, little shown."""

import numpy as np

from playbill.features.definitions import Scope, Signal
from playbill.features.layout import SLOTS
from playbill.retrieval.derived_kernel import (
    list_by_author,
    little_shown,
    newest_listed,
    push_by_author,
)
from playbill.retrieval.view import ItemView, Rows

PER_AUTHOR = 8
NEWEST = 16_384
_KEPT = 2 * NEWEST
POOL = 4_096
LITTLE_SHOWN = 30.0
"""Impressions, decayed with a half-life of 14 days, below which a video is little shown."""
_LOOK_BACK = 200_000
_LOOK_EVERY_MS = 5_000
_SHOWN, _SHOWN_HALF_LIFE_MS = next(
    (place, slot.half_life_s * 1000.0)
    for place, slot in reversed(list(enumerate(SLOTS[Scope.ITEM])))
    if slot.signal is Signal.IMPRESSION
)


class DerivedLists:
    """Newest first, newest by author, and the pool that exploration draws from.

    ``fresh`` (N,) the 16,384 newest visible rows published within ``fresh_ms``, newest first.
    ``by_author`` (A, 8) newest rows of each author, -1 for none. ``pool`` (P,) the newest 4,096
    visible rows that were shown little, of the last 200,000. What was posted is in all of them at
    once; who was shown often, or is hidden, leaves the pool within five seconds.
    """

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms
        self._begin()

    def _begin(self) -> None:
        """Know nothing yet."""
        self._known = 0
        self._looked_at_ms: int | None = None
        self._young: Rows = np.empty(0, np.int64)
        self.fresh: Rows = np.empty(0, np.int64)
        self.by_author: Rows = np.full((0, PER_AUTHOR), -1, np.int64)
        self.pool: Rows = np.empty(0, np.int64)

    def refresh(self, view: ItemView, now_ms: int) -> None:
        """Come up to date with item state; costs what was added, and every 5 s a longer look."""
        if view.count < self._known:
            # Another state than before: its rows are other videos.
            self._begin()
        looked_at_ms = self._looked_at_ms
        look = looked_at_ms is None or not 0 <= now_ms - looked_at_ms < _LOOK_EVERY_MS
        if look:
            self._looked_at_ms = now_ms
        if look or view.count > self._known:
            self._refresh_young(view, sort_all=look)
            self._refresh_pool(view, now_ms)
            self._refresh_authors(view)
            self._known = view.count
        self._refresh_fresh(view, now_ms)

    def _refresh_young(self, view: ItemView, *, sort_all: bool) -> None:
        """Keep more than are listed, since some of them are hidden and may come back."""
        created_ms = view.tables.items["created_at_ms"]
        new = np.arange(self._known, view.count)
        if len(new) > _KEPT:
            newest = np.ascontiguousarray(created_ms[self._known :])
            new = self._known + np.argpartition(-newest, _KEPT)[:_KEPT]
        new = new[np.lexsort((new, -created_ms[new]))]
        if sort_all:
            rows = np.concatenate([self._young, new])
            rows = rows[np.lexsort((rows, -created_ms[rows]))]
        else:
            at = np.searchsorted(-created_ms[self._young], -created_ms[new], side="right")
            rows = np.insert(self._young, at, new)
        self._young = rows[:_KEPT]

    def _refresh_fresh(self, view: ItemView, now_ms: int) -> None:
        listed = np.empty(min(NEWEST, len(self._young)), np.int64)
        since_ms = now_ms - self._fresh_ms
        count = newest_listed(view.tables.items, self._young, since_ms, listed)
        self.fresh = listed[:count]

    def _refresh_pool(self, view: ItemView, now_ms: int) -> None:
        found = np.empty(POOL, np.int64)
        first = max(0, view.count - _LOOK_BACK)
        items = view.tables.items
        slot = _SHOWN, _SHOWN_HALF_LIFE_MS
        count = little_shown(items, first, *slot, now_ms, LITTLE_SHOWN, found)
        self.pool = np.ascontiguousarray(found[:count][::-1])

    def _refresh_authors(self, view: ItemView) -> None:
        authors = len(view.tables.authors)
        if authors > len(self.by_author):
            grown = np.full((max(authors, 2 * len(self.by_author)), PER_AUTHOR), -1, np.int64)
            grown[: len(self.by_author)] = self.by_author
            self.by_author = grown
        if self._known:
            push_by_author(view.tables.items, self._known, self.by_author)
        else:
            list_by_author(view.tables.items, np.zeros(authors, np.uint8), self.by_author)
