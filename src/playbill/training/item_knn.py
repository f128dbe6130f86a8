"""What is taken by the same viewers: the neighbourhood baseline of retrieval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from playbill.training.sequences import Sequences

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

NEIGHBOURS = 100
"""A video keeps so many."""
LATEST = 200
"""Of a viewer's videos count so many, the last ones; it bounds the pairs."""
_VIDEOS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class ItemNeighbours:
    """(I, I) cosine of who took two videos, a hundred kept a row, as a sparse matrix by row."""

    matrix: Any

    @classmethod
    def of(cls, sequences: Sequences, size: int) -> "ItemNeighbours":
        """Return the neighbours of ``size`` videos.

        Source: Sarwar et al.: Item-based collaborative filtering, WWW 2001.
        """
        viewers, items = _latest(sequences)
        ones = np.ones(len(items), np.float32)
        shape = int(viewers.max(initial=-1)) + 1, size
        taken = sparse.csr_matrix((ones, (viewers, items)), shape=shape)
        taken.data[:] = 1.0
        norms = np.sqrt(np.asarray(taken.sum(axis=0)).ravel())
        scaled = taken @ sparse.diags(1.0 / np.maximum(norms, 1.0).astype(np.float32))
        by_item = scaled.T.tocsr()
        kept = [
            _strongest(by_item[first : first + _VIDEOS_AT_ONCE] @ scaled, first)
            for first in range(0, size, _VIDEOS_AT_ONCE)
        ]
        return cls(sparse.vstack(kept, format="csr"))

    def scores(self, taken: list[Ints]) -> Floats:
        """Return (B, I) sums over what each of B viewers took."""
        counts = [min(len(items), LATEST) for items in taken]
        items = np.concatenate([items[-LATEST:] for items in taken] or [np.empty(0, np.int64)])
        asked = sparse.csr_matrix(
            (np.ones(len(items), np.float32), (np.repeat(np.arange(len(taken)), counts), items)),
            shape=(len(taken), self.matrix.shape[0]),
        )
        found: Floats = (asked @ self.matrix).toarray()
        return found


def _latest(sequences: Sequences) -> tuple[Ints, Ints]:
    """Return viewers, from 0 on, and items of each viewer's latest videos."""
    starts = sequences.starts()
    sizes = np.diff(starts)
    ends = np.repeat(starts[1:], sizes)
    kept = np.arange(len(sequences)) >= ends - LATEST
    return np.repeat(np.arange(len(sizes)), sizes)[kept], sequences.items[kept]


def _strongest(block: Any, first: int) -> Any:
    """Return rows of a sparse matrix with their largest entries alone, none of them their own."""
    rows = block.tocsr()
    for row in range(rows.shape[0]):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        values = rows.data[part]
        values[rows.indices[part] == first + row] = 0.0
        if len(values) > NEIGHBOURS:
            values[np.argpartition(-values, NEIGHBOURS)[NEIGHBOURS:]] = 0.0
    rows.eliminate_zeros()
    return rows
