"""Vectors of the whole catalogue: a bundle's index, mapped, and an annex of what came later."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from playbill.features import ItemTables
from playbill.retrieval.annex import Annex
from playbill.retrieval.gather_kernel import gather
from playbill.retrieval.vector_index import (
    Floats,
    Gate,
    Hits,
    RowNumbers,
    Rows,
    Segment,
    VectorIndex,
    best_rows,
    nearest,
)

NEAR_AMONG = 4_096
"""How many of the newest videos are searched for near ones."""
_NOWHERE = -1
_LATER = -2
"""Place p of the annex is kept as ``_LATER - p``."""
_STEP = 65_536


class Tower(Protocol):
    """What makes a vector of a video's content."""

    def vectors(self, items: npt.NDArray[np.void]) -> Floats:
        """Return (M, D) vectors of (M,) item records."""
        ...


class CatalogueVectors:
    """Item vectors by row, and who is near: a ``VectorTable``.

    Args:
        index: mapped.
        rows: (N,) the row of each place as the bundle has it; not believed where a key differs.
    """

    def __init__(self, index: VectorIndex, rows: RowNumbers) -> None:
        self.index = index
        self.row_of_place = rows
        self.annex = Annex(index)
        self._place_of_row: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._count = 0
        self._newest: tuple[VectorIndex, tuple[Segment, ...]] | None = None
        self._newest_rows: Rows = np.empty(0, np.int64)

    def extend(self, tables: ItemTables, tower: Tower) -> None:
        """Give every row of item state a vector; costs what was added since the last call."""
        first, count = self._count, len(tables.items)
        if count <= first:
            return
        if not first:
            self.row_of_place = self._placed(tables)
            self.row_of_place.flags.writeable = False
        self._place_of_row = _with_room(self._place_of_row, count)
        places = self._place_of_row[first:count]
        if not first:
            known = np.flatnonzero(self.row_of_place >= 0)
            places[self.row_of_place[known]] = known
        without = first + np.flatnonzero(places == _NOWHERE)
        for block in (without[n : n + _STEP] for n in range(0, len(without), _STEP)):
            self._place_of_row[block] = _LATER - len(self.annex) - np.arange(len(block))
            self.annex.add(tower.vectors(tables.items[block]), block)
        self._count = count
        self.annex.publish()

    def freshen(self, rows: Rows) -> None:
        """Index the newest videos, so that one pass finds the nearest of them."""
        if np.array_equal(rows, self._newest_rows):
            return
        vectors, known = self.vectors(rows)
        listed = rows[known].astype(np.int32)
        listed.flags.writeable = False
        self._newest_rows, self._newest = rows.copy(), None
        if len(listed):
            index = VectorIndex.of_one_list(vectors[known], listed.astype(np.uint64))
            self._newest = index, (index.segment(listed), *Annex(index).segments)

    def near(self, queries: Floats, count: int, gate: Gate) -> tuple[Hits, Rows]:
        """Return (Q, count) hits in no order of (Q, D) queries and (Q,) how many there are."""
        segments = (self.index.segment(self.row_of_place), *self.annex.segments)
        effort = self.index.effort(count)
        return nearest(self.index.tree, segments, queries, count, effort, gate)

    def near_newest(self, query: Floats, count: int, gate: Gate) -> Rows | None:
        """Return the nearest of the newest videos, best first; None where none has a vector."""
        if self._newest is None:
            return None
        index, segments = self._newest
        hits, found = nearest(index.tree, segments, query[None, :], count, (1, 1), gate)
        return best_rows(hits[0, : found[0]])

    def vectors(self, rows: Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return (C, D) vectors and (C,) True where a row has one."""
        found = np.empty((len(rows), self.index.codes.shape[1]), np.float32)
        known = np.empty(len(rows), np.bool_)
        indexed = self.index.codes, self.index.scales
        places = self._place_of_row[: self._count]
        gather(rows, places, indexed, self.annex.codes, found, known)
        return found, known

    def _placed(self, tables: ItemTables) -> RowNumbers:
        """Return the row of each place: as the bundle says, or by key where that is wrong."""
        keys, rows = tables.items["key"], self.row_of_place
        present = (rows >= 0) & (rows < len(keys))
        if present.all() and (keys[rows] == self.index.keys).all():
            return rows
        return Places(keys).find(np.asarray(self.index.keys)).astype(np.int32)


class Places:
    """Where each of N distinct keys stands."""

    def __init__(self, keys: npt.NDArray[np.uint64]) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def find(self, keys: npt.NDArray[np.uint64]) -> Rows:
        """Return (M,) the place of each key, -1 where it is not there."""
        if not len(self._sorted):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)


def _with_room(places: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    """Return room for ``count`` places, nowhere where there was none before; grows by half."""
    if count <= len(places):
        return places
    grown = np.full(max(count, len(places) * 3 // 2), _NOWHERE, np.int32)
    grown[: len(places)] = places
    return grown
