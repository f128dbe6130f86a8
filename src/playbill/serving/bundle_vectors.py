"""A bundle's vectors by row of item state: mapped codes, and a small table for newer videos."""

import numpy as np
import numpy.typing as npt

from playbill.features import ItemTables
from playbill.models import ContentTower
from playbill.retrieval import VectorIndex
from playbill.serving.gather_kernel import gather

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
_NOWHERE = -1
_LATER = -2
"""Place p of the table of later vectors is kept as ``_LATER - p``."""


class BundleVectors:
    """Item vectors by row: the index's own codes, the content tower's for all other videos.

    ``row_of_place`` (N,) is the row of each place of the index, -1 for a video not in item state.

    Args:
        index: mapped.
        rows: (N,) the row of each place as the bundle has it; not believed where a key differs.
    """

    def __init__(self, index: VectorIndex, rows: Rows) -> None:
        self.index = index
        self.row_of_place = rows
        self.newest: tuple[VectorIndex, Rows] | None = None
        self._place_of_row: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._later: Floats = np.empty((0, index.codes.shape[1]), np.float32)
        self._newest_rows: Rows = np.empty(0, np.int64)

    def extend(self, tables: ItemTables, tower: ContentTower) -> None:
        """Give every row of item state a vector; costs what was added since the last call."""
        first, count = len(self._place_of_row), len(tables.items)
        if count <= first:
            return
        added = np.full(count - first, _NOWHERE, np.int32)
        if not first:
            self.row_of_place = self._placed(tables)
            self.row_of_place.flags.writeable = False
            known = np.flatnonzero(self.row_of_place >= 0)
            added[self.row_of_place[known]] = known
        without = first + np.flatnonzero(added == _NOWHERE)
        vectors = tower.vectors(tables.items[without])
        places = len(self._later) + np.arange(len(without))
        added[without - first] = _LATER - places
        self._later = np.concatenate([self._later, vectors.astype(np.float32)])
        self._place_of_row = np.concatenate([self._place_of_row, added])

    def freshen(self, rows: Rows) -> None:
        """Index the newest videos, so that one pass finds the nearest of them."""
        if np.array_equal(rows, self._newest_rows):
            return
        vectors, known = self.vectors(rows)
        listed = rows[known]
        listed.flags.writeable = False
        index = VectorIndex.of_one_list(vectors[known], listed.astype(np.uint64))
        self.newest = (index, listed) if len(listed) else None
        self._newest_rows = rows.copy()

    def vectors(self, rows: Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return (C, D) vectors and (C,) True where a row has one."""
        found = np.empty((len(rows), self.index.codes.shape[1]), np.float32)
        known = np.empty(len(rows), np.bool_)
        codes, scales = self.index.codes, self.index.scales
        gather(rows, self._place_of_row, codes, scales, self._later, found, known)
        return found, known

    def _placed(self, tables: ItemTables) -> Rows:
        """Return the row of each place: as the bundle says, or by key where that is wrong."""
        keys, rows = tables.items["key"], self.row_of_place
        present = (rows >= 0) & (rows < len(keys))
        if present.all() and (keys[rows] == self.index.keys).all():
            return rows
        return Places(keys).find(np.asarray(self.index.keys))


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
