"""The vector index: inverted lists of 8-bit codes, mapped read-only from the bundle's folder."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.retrieval.clustering import OnProgress, cluster
from playbill.retrieval.hits_kernel import hits_apart, rows_of
from playbill.retrieval.index_files import FILES, read_arrays
from playbill.retrieval.scan_kernel import LARGEST_CODE, assign, scan
from playbill.retrieval.view import ItemView, region_bit

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]
Starts = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]
RowNumbers = npt.NDArray[np.int32]
Hits = npt.NDArray[np.uint64]
Gate = tuple[npt.NDArray[np.void], np.uint32, int]
"""(I,) items, a region's bit and an age; made by ``gate_of``."""
Tree = tuple[Codes, Floats, Starts, Codes, Floats]
"""Codes and scales of groups, where their lists begin, codes and scales of lists."""
Segment = tuple[Starts, Codes, Floats, RowNumbers]
"""Where lists begin, and the codes, scales and rows of what is in them."""
Effort = tuple[int, int]
"""How many groups and how many lists are looked into."""

_BLOCK = 65_536
_SCANNED_PER_FOUND = 24
_LEAST_LISTS = 4
_LEAST_CENTROIDS = 1_024
_GROUPS_TO_ASSIGN = 4


def quantise(vectors: Floats) -> tuple[Codes, Floats]:
    """Return (N, D) int8 codes and (N,) what one step of each is worth."""
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = (np.maximum(largest, 1e-12) / LARGEST_CODE).astype(np.float32)
    codes = np.clip(np.rint(vectors / scales[:, None]), -LARGEST_CODE, LARGEST_CODE)
    return codes.astype(np.int8), scales


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """N videos in L lists, and the lists in S groups.

    ``groups`` (S, D) and ``centroids`` (L, D) float32; ``group_starts`` (S + 1,) where the lists
    of each group begin; ``starts`` (L + 1,) where the videos of each list begin; ``codes`` (N, D)
    int8, ``scales`` (N,) and ``keys`` (N,) of videos in the order of lists.
    """

    groups: Floats
    group_starts: Starts
    centroids: Floats
    starts: Starts
    codes: Codes
    scales: Floats
    keys: npt.NDArray[np.uint64]
    tree: Tree = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Code the centres, and make every array unwritable: kernels then compile once for all."""
        tree = (*quantise(self.groups), self.group_starts, *quantise(self.centroids))
        object.__setattr__(self, "tree", tree)
        for array in (*tree, *(getattr(self, name) for name in FILES)):
            array.flags.writeable = False

    @classmethod
    def build(
        cls,
        vectors: Floats,
        keys: npt.NDArray[np.uint64],
        seed: int,
        on_progress: OnProgress = lambda share: None,
    ) -> "VectorIndex":
        """Return the index of (N, D) unit vectors; uses all cores.

        Raises:
            InvalidInput: no vectors, vectors that are not finite, or as many keys as fit others.
        """
        if len(vectors) == 0 or len(vectors) != len(keys):
            raise InvalidInput(
                f"{len(vectors):,} vectors and {len(keys):,} keys; an index needs one key a vector"
            )
        vectors = np.ascontiguousarray(vectors, np.float32)
        if not all(np.isfinite(block).all() for block in _blocks(vectors)):
            raise InvalidInput("some vectors are not finite; look at the item tower's training")
        found = cluster(vectors, seed, lambda share: on_progress(0.9 * share))
        order = np.argsort(found.owner, kind="stable")
        starts = np.searchsorted(found.owner[order], np.arange(len(found.centroids) + 1))
        codes, scales = np.empty(vectors.shape, np.int8), np.empty(len(vectors), np.float32)
        for block in _blocks(np.arange(len(vectors))):
            codes[block], scales[block] = quantise(vectors[order[block]])
        on_progress(1.0)
        return cls(
            found.groups,
            found.group_starts,
            found.centroids,
            starts.astype(np.int64),
            codes,
            scales,
            keys[order],
        )

    @classmethod
    def of_one_list(cls, vectors: Floats, keys: npt.NDArray[np.uint64]) -> "VectorIndex":
        """Return an index of (N, D) vectors that every search looks through whole."""
        codes, scales = quantise(vectors)
        centre = np.zeros((1, vectors.shape[1]), np.float32)
        one, all_of_them = np.array([0, 1], np.int64), np.array([0, len(vectors)], np.int64)
        return cls(centre, one, centre.copy(), all_of_them, codes, scales, keys)

    def segment(self, rows: RowNumbers) -> Segment:
        """Return the videos as a scan takes them, given the (N,) row of each, -1 for none."""
        return self.starts, self.codes, self.scales, rows

    def search(
        self, query: Floats, count: int, effort: Effort | None = None
    ) -> tuple[Rows, Floats]:
        """Return the places and scores of about the ``count`` best, best first.

        Args:
            query: (D,) float32.
            count: how many.
            effort: None for the usual one.
        """
        places = np.arange(len(self.keys), dtype=np.int32)
        places.flags.writeable = False
        segments = (self.segment(places),)
        effort = effort or self.effort(count)
        hits, found = nearest(self.tree, segments, query[None, :], count, effort, None)
        best, scores = hits_apart(in_order(hits[0, : found[0]]))
        return best, scores

    def effort(self, count: int) -> Effort:
        """Return how much to look into to meet some twenty times as many videos as are wanted.

        Half as many groups as lists, or a thousand lists' worth: of 8 million videos more groups
        find nothing more.
        """
        per_list = max(len(self.keys) / len(self.centroids), 1.0)
        lists = max(_LEAST_LISTS, math.ceil(_SCANNED_PER_FOUND * count / per_list))
        per_group = max(len(self.centroids) / len(self.groups), 1.0)
        return max(lists // 2, math.ceil(_LEAST_CENTROIDS / per_group)), lists

    @property
    def everything(self) -> Effort:
        """Return the effort of looking at every video."""
        return len(self.groups), len(self.centroids)

    def lists_of(self, vectors: Floats) -> RowNumbers:
        """Return the (M,) list nearest to each of (M, D) vectors."""
        owner = np.empty(len(vectors), np.int32)
        assign(self.tree, vectors, _GROUPS_TO_ASSIGN, owner)
        return owner

    def save(self, folder: Path) -> None:
        """Write the index as one file an array."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "VectorIndex":
        """Map an index.

        Raises:
            InvalidInput: a file is missing, is no array, or does not fit the others.
        """
        return cls(**read_arrays(folder))


def nearest(
    tree: Tree,
    segments: tuple[Segment, ...],
    queries: Floats,
    count: int,
    effort: Effort,
    gate: Gate | None,
) -> tuple[Hits, Rows]:
    """Return (Q, count) hits in no order and (Q,) how many of each there are.

    Args:
        tree: of the index whose lists the segments fill.
        segments: what is looked through.
        queries: (Q, D) float32.
        count: how many for each.
        effort: as of ``VectorIndex.effort``.
        gate: what must not be found; None finds everything.
    """
    hits = np.empty((len(queries), count), np.uint64)
    found = np.empty(len(queries), np.int64)
    scan(tree, segments, queries, effort, gate, hits, found)
    return hits, found


def in_order(hits: Hits) -> Hits:
    """Return (K,) hits, best first."""
    return np.sort(hits)[::-1]


def best_rows(hits: Hits) -> Rows:
    """Return the rows of (K,) hits, best first."""
    rows: Rows = rows_of(in_order(hits))
    return rows


def gate_of(view: ItemView, region: int, user: npt.NDArray[np.void]) -> Gate:
    """Return what keeps a search from finding what a viewer must not see.

    Args:
        view: item state.
        region: code of the viewer's region, 0 for none.
        user: (1,) ``USER_RECORD``; its age counts.
    """
    return view.tables.items, region_bit(region), int(user["age"][0])


def _blocks(array: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return views of an array, block by block."""
    return [array[first : first + _BLOCK] for first in range(0, len(array), _BLOCK)]
