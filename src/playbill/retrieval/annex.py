"""What came after an index was built: the same lists, filled further while a worker runs.

Newcomers are kept in the order of their arrival and, for scans, in two segments over the index's
lists: a small one that is made anew whenever something arrives, and a large one that takes the
small one's videos over once they are many. The large one can be made beside the event loop.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from playbill.retrieval.vector_index import (
    Codes,
    Floats,
    RowNumbers,
    Segment,
    VectorIndex,
    quantise,
)

SMALL = 4_096
Kind = TypeVar("Kind", bound=npt.NDArray[Any])


class Annex:
    """Videos that an index does not hold. All but ``merged`` is for one thread.

    Args:
        index: whose lists they join.
    """

    def __init__(self, index: VectorIndex) -> None:
        width = index.codes.shape[1]
        self._index = index
        self._codes: Codes = np.empty((0, width), np.int8)
        self._scales: Floats = np.empty(0, np.float32)
        self._rows: RowNumbers = np.empty(0, np.int32)
        self._lists: RowNumbers = np.empty(0, np.int32)
        self._count = 0
        self._merged = 0
        nothing = self._segment(0, 0)
        self.segments: tuple[Segment, Segment] = (nothing, nothing)

    def __len__(self) -> int:
        """Return how many videos there are."""
        return self._count

    @property
    def codes(self) -> tuple[Codes, Floats]:
        """Return (M, D) codes and (M,) scales in the order of arrival."""
        return self._codes[: self._count], self._scales[: self._count]

    def add(self, vectors: Floats, rows: npt.NDArray[np.int64]) -> None:
        """Take (M, D) vectors of (M,) rows in; ``publish`` or ``merge`` makes them found."""
        first, last = self._count, self._count + len(vectors)
        self._codes, self._scales = roomy(self._codes, last), roomy(self._scales, last)
        self._rows, self._lists = roomy(self._rows, last), roomy(self._lists, last)
        self._codes[first:last], self._scales[first:last] = quantise(vectors)
        self._rows[first:last] = rows
        self._lists[first:last] = self._index.lists_of(vectors)
        self._count = last

    def publish(self) -> None:
        """Let all videos be found; costs a pass over those that are not merged."""
        self.segments = self.segments[0], self._segment(self._merged, self._count)

    @property
    def crowded(self) -> bool:
        """Return whether ``merge`` is due."""
        return self._count - self._merged > SMALL

    def merged(self) -> tuple[Segment, int]:
        """Return a large segment of all videos there are now, and how many; changes nothing.

        A pass over all of them, for another thread than the one that adds and publishes.
        """
        last = self._count
        return self._segment(0, last), last

    def take(self, merged: tuple[Segment, int]) -> None:
        """Put what ``merged`` made in place; what came since stays in the small segment."""
        large, self._merged = merged
        self.segments = large, self._segment(self._merged, self._count)

    def merge(self) -> None:
        """Move all videos into the large segment at once."""
        self.take(self.merged())

    def _segment(self, first: int, last: int) -> Segment:
        owner = self._lists[first:last]
        order = first + np.argsort(owner, kind="stable")
        sizes = np.bincount(owner, minlength=len(self._index.centroids))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        segment = starts, self._codes[order], self._scales[order], self._rows[order]
        for array in segment:
            array.flags.writeable = False
        return segment


def roomy(array: Kind, count: int) -> Kind:
    """Return the array with room for ``count``, at least twice as long as before if it grows."""
    if count <= len(array):
        return array
    grown = np.empty((max(count, 2 * len(array)), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown  # type: ignore[return-value]
