"""Vectors of the whole catalogue: a bundle's index, mapped, and an annex of what came later."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from playbill.features import ItemTables, Rest, touch
from playbill.retrieval.annex import Annex, roomy
from playbill.retrieval.gather_kernel import gather
from playbill.retrieval.near_kernel import near_each, near_vector
from playbill.retrieval.rows_kernel import find, still_there
from playbill.retrieval.transitions import Transitions
from playbill.retrieval.transitions_kernel import next_of
from playbill.retrieval.vector_index import (
    Effort,
    Floats,
    Gate,
    Hits,
    RowNumbers,
    Rows,
    Segment,
    VectorIndex,
    nearest,
)

NEAR_AMONG = 4_096
"""How many of the newest videos are searched for near ones."""
_NOWHERE = -1
_LATER = -2
"""Place p of the annex is kept as ``_LATER - p``."""
_STEP = 65_536
_ONE_LIST = 1, 1


class Tower(Protocol):
    """What makes a vector of a video's content."""

    def vectors(self, items: npt.NDArray[np.void]) -> Floats:
        """Return (M, D) vectors of (M,) item records."""
        ...


class CatalogueVectors:
    """Item vectors by row, and who is near: a ``VectorTable``.

    What the bundle says of rows is mapped and shared by all who serve it. A video that was hidden
    when the bundle was made has no vector under it.

    Args:
        index: mapped.
        rows: (N,) the row of each place as the bundle has it; not believed where a key differs.
        places: (R,) the place of each row, -1 for none; None to find out.
        transitions: what is taken after what, by place; None for nothing known.
    """

    def __init__(
        self,
        index: VectorIndex,
        rows: RowNumbers,
        places: RowNumbers | None = None,
        transitions: Transitions | None = None,
    ) -> None:
        self.index = index
        self._transitions = transitions or Transitions.none()
        self.row_of_place = rows
        self.annex = Annex(index)
        self._mapped = places if places is not None else inverted(rows)
        self._later: RowNumbers = np.empty(0, np.int32)
        self._count = 0
        self._believed = False
        self._efforts: dict[int, Effort] = {}
        self._newest: tuple[VectorIndex, tuple[Segment, ...]] | None = None
        self._newest_rows: Rows = np.empty(0, np.int64)

    def extend(self, tables: ItemTables, tower: Tower) -> None:
        """Give every row of item state a vector; costs what was added since the last call."""
        if not self._believed:
            self._believe(tables)
        mapped, count = len(self._mapped), len(tables.items)
        first = max(self._count, mapped)
        if count <= first:
            return
        self._later = roomy(self._later, count - mapped)
        for start in range(first, count, _STEP):
            block = np.arange(start, min(start + _STEP, count))
            self._later[block - mapped] = _LATER - len(self.annex) - np.arange(len(block))
            self.annex.add(tower.vectors(tables.items[block]), block)
        self._count = count
        self.annex.publish()

    def freshen(self, rows: Rows) -> None:
        """Index the newest videos, so that one pass finds the nearest of them."""
        if np.array_equal(rows, self._newest_rows):
            return
        # Of equal scores the first row is the better hit: in this order fewer hits give way.
        ascending = np.sort(rows)
        vectors, known = self.vectors(ascending)
        listed = ascending[known].astype(np.int32)
        listed.flags.writeable = False
        self._newest_rows, self._newest = rows.copy(), None
        if len(listed):
            index = VectorIndex.of_one_list(vectors[known], listed.astype(np.uint64))
            self._newest = index, (index.segment(listed), *Annex(index).segments)

    def touch(self, rest: Rest = lambda: None) -> None:
        """Look at every page of what is mapped, so that no search is the first to; for a thread."""
        arrays = self.index.codes, self.index.scales, self.row_of_place, self._mapped
        touch(*arrays, *self._transitions.arrays, rest=rest)

    def rows_of(self, keys: npt.NDArray[np.uint64], items: npt.NDArray[np.void]) -> Rows:
        """Return (K,) the row of each of (K,) keys, -1 for none.

        What the bundle does not know is looked for among all (I,) records, which takes longer.
        """
        places = places_of_keys(self.index.keys, keys)
        rows = np.where(places >= 0, self.row_of_place[places], _NOWHERE).astype(np.int64)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            rows[missing] = rows_of_keys(items, keys[missing])
        return rows

    def near(self, queries: Floats, count: int, gate: Gate) -> tuple[Hits, Rows]:
        """Return (Q, count) hits in no order of (Q, D) queries and (Q,) how many there are."""
        effort = self._effort(count)
        return nearest(self.index.tree, self._segments(), queries, count, effort, gate)

    def near_vector(self, vector: Floats, count: int, gate: Gate) -> Rows:
        """Return the ``count`` rows nearest to a (D,) vector, best first."""
        near = np.empty(count, np.int64)
        effort, segments = self._effort(count), self._segments()
        return near[: near_vector(self.index.tree, segments, vector, effort, gate, near)]

    def near_rows(self, rows: Rows, count: int, gate: Gate, quota: int) -> Rows:
        """Return the ``count`` nearest to each of (S,) rows in turn, ``quota`` rows in all."""
        near = np.empty(quota, np.int64)
        found = near_each(
            rows,
            self._places,
            (self.index.codes, self.index.scales),
            self.annex.codes,
            self.index.tree,
            self._segments(),
            self._effort(count),
            gate,
            count,
            near,
        )
        return near[:found]

    def near_newest(self, query: Floats, count: int, gate: Gate) -> Rows | None:
        """Return the nearest of the newest videos, best first; None where none has a vector."""
        if self._newest is None:
            return None
        near = np.empty(count, np.int64)
        index, segments = self._newest
        return near[: near_vector(index.tree, segments, query, _ONE_LIST, gate, near)]

    def next_rows(self, user: npt.NDArray[np.void], below: int, count: int, gate: Gate) -> Rows:
        """Return the ``count`` rows below one that most often follow what a viewer took to."""
        found = np.empty(count, np.int64)
        places, rows = self._mapped, self.row_of_place
        return found[: next_of(user, below, places, rows, self._transitions.arrays, gate, found)]

    def vectors(self, rows: Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return (C, D) vectors and (C,) True where a row has one."""
        found = np.empty((len(rows), self.index.codes.shape[1]), np.float32)
        known = np.empty(len(rows), np.bool_)
        indexed = self.index.codes, self.index.scales
        gather(rows, self._places, indexed, self.annex.codes, found, known)
        return found, known

    @property
    def _places(self) -> tuple[RowNumbers, RowNumbers]:
        """Return where the vectors of rows are, as ``gather`` takes it."""
        return self._mapped, self._later[: max(0, self._count - len(self._mapped))]

    def _segments(self) -> tuple[Segment, ...]:
        return (self.index.segment(self.row_of_place), *self.annex.segments)

    def _effort(self, count: int) -> Effort:
        effort = self._efforts.get(count)
        if effort is None:
            effort = self._efforts[count] = self.index.effort(count)
        return effort

    def _believe(self, tables: ItemTables) -> None:
        """Take the bundle's rows as they are, or find them by key where they are wrong."""
        self._believed = True
        if not still_there(tables.items, self.row_of_place, self.index.keys):
            rows = rows_of_keys(tables.items, self.index.keys).astype(np.int32)
            self.row_of_place, self._mapped = rows, inverted(rows)
        for array in (self.row_of_place, self._mapped):
            array.flags.writeable = False


def inverted(rows: RowNumbers) -> RowNumbers:
    """Return (R,) the place of each row up to the last of (N,) rows, -1 for none."""
    places = np.full(int(rows.max(initial=-1)) + 1, _NOWHERE, np.int32)
    known = np.flatnonzero(rows >= 0)
    places[rows[known]] = known
    return places


def rows_of_keys(items: npt.NDArray[np.void], keys: npt.NDArray[np.uint64]) -> Rows:
    """Return (K,) the row of each of (K,) keys, -1 for none; a pass over all (I,) records."""
    return places_of_keys(items["key"], keys)


def places_of_keys(among: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> Rows:
    """Return (K,) the place of each of (K,) keys among (I,) others, -1 for none; a pass."""
    order, places = np.argsort(keys, kind="stable"), np.empty(len(keys), np.int64)
    find(among, keys[order], order, places)
    return places
