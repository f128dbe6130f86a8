"""Lists that a worker derives from item state between requests: newest, by author, little shown."""

import numpy as np
import numpy.typing as npt

from playbill.features import VISIBLE
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import SLOTS
from playbill.retrieval.view import ItemView, Rows

PER_AUTHOR = 8
POOL = 4_096
LITTLE_SHOWN = 30.0
_LOOK_BACK = 200_000
_SHOWN = next(
    place
    for place, slot in reversed(list(enumerate(SLOTS[Scope.ITEM])))
    if slot.signal is Signal.IMPRESSION
)


class DerivedLists:
    """Newest first, newest by author, and the pool that exploration draws from.

    ``fresh`` (N,) visible rows published within ``fresh_ms``, newest first. ``by_author``
    (A, 8) newest rows of each author, -1 for none. ``pool`` (P,) visible rows shown little.
    """

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms
        self._known = 0
        self.fresh: Rows = np.empty(0, np.int64)
        self.by_author: Rows = np.full((0, PER_AUTHOR), -1, np.int64)
        self.pool: Rows = np.empty(0, np.int64)

    def refresh(self, view: ItemView, now_ms: int) -> None:
        """Come up to date with item state; costs a pass over the newest 200,000 records."""
        first = max(0, view.count - _LOOK_BACK)
        recent = view.tables.items[first:]
        visible = (recent["flags"] & VISIBLE) != 0
        created_ms = recent["created_at_ms"]
        young = np.flatnonzero(visible & (created_ms > now_ms - self._fresh_ms))
        order = np.argsort(-created_ms[young], kind="stable")
        self.fresh = (first + young[order]).astype(np.int64)
        shown = recent["slots"][:, _SHOWN]
        little = first + np.flatnonzero(visible & (shown < LITTLE_SHOWN))
        self.pool = little[-POOL:].astype(np.int64)
        self._refresh_authors(view)

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
