"""The vector index: inverted lists of 8-bit codes, mapped read-only from the bundle's folder."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.retrieval.scan_kernel import LARGEST_CODE, hits_apart, scan
from playbill.retrieval.view import ItemView, region_bit

Floats = npt.NDArray[np.float32]
Gate = tuple[npt.NDArray[np.void], npt.NDArray[np.int64], np.uint32, int]
"""(I,) items, (N,) the row of each place, a region's bit and an age; made by ``gate_of``."""
_STEPS = 12
_SAMPLE_PER_LIST = 64
_BLOCK = 8_192


def quantise(vectors: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return (N, D) int8 codes and (N,) what one step of each is worth."""
    largest = np.abs(vectors).max(axis=1)
    scales = (np.maximum(largest, 1e-12) / LARGEST_CODE).astype(np.float32)
    codes = np.clip(np.rint(vectors / scales[:, None]), -LARGEST_CODE, LARGEST_CODE)
    return codes.astype(np.int8), scales


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """N videos by list. ``keys`` (N,) are their keys in the order of the codes.

    ``centroids`` (L, D) float32; ``starts`` (L + 1,); ``codes`` (N, D) int8; ``scales`` (N,).
    """

    centroids: Floats
    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int8]
    scales: Floats
    keys: npt.NDArray[np.uint64]

    @classmethod
    def build(
        cls,
        vectors: Floats,
        keys: npt.NDArray[np.uint64],
        seed: int,
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> "VectorIndex":
        """Return the index of (N, D) vectors.

        Raises:
            InvalidInput: no vectors, vectors that are not finite, or as many keys as fit others.
        """
        if len(vectors) == 0 or len(vectors) != len(keys):
            raise InvalidInput(
                f"{len(vectors):,} vectors and {len(keys):,} keys; an index needs one key a vector"
            )
        if not np.isfinite(vectors).all():
            raise InvalidInput("some vectors are not finite; look at the item tower's training")
        vectors = np.ascontiguousarray(vectors, np.float32)
        centroids = _centroids(vectors, seed, lambda share: on_progress(0.2 * share))
        owner = _nearest(vectors, centroids, lambda share: on_progress(0.2 + 0.7 * share))
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(len(centroids) + 1))
        codes, scales = quantise(vectors[order])
        return cls(centroids, starts.astype(np.int64), codes, scales, keys[order])

    @classmethod
    def of_one_list(cls, vectors: Floats, keys: npt.NDArray[np.uint64]) -> "VectorIndex":
        """Return an index of (N, D) vectors that every search looks through whole."""
        codes, scales = quantise(vectors)
        centroids = np.zeros((1, vectors.shape[1]), np.float32)
        starts = np.array([0, len(vectors)], np.int64)
        # Mapped indices cannot be written to; kernels compile once for both if this cannot either.
        for array in (starts, codes, scales):
            array.flags.writeable = False
        return cls(centroids, starts, codes, scales, keys)

    def search(
        self, query: Floats, count: int, probes: int, gate: "Gate | None" = None
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the places and scores of about the ``count`` best, best first.

        Args:
            query: (D,) float32.
            count: how many.
            probes: lists looked through; all of them make the search exhaustive.
            gate: what must not be found; None finds everything.
        """
        hits, found = self.search_many(query[None, :], count, probes, gate)
        best = hits[0, : found[0]]
        best.sort()
        places, scores = hits_apart(best[::-1])
        return places, scores

    def search_many(
        self, queries: Floats, count: int, probes: int, gate: "Gate | None" = None
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return (Q, count) hits in no order and (Q,) how many of each there are.

        Args:
            queries: (Q, D) float32.
            count: how many for each.
            probes: lists looked through for each.
            gate: as in ``search``.
        """
        hits = np.empty((len(queries), 2 * count), np.uint64)
        found = np.zeros(len(queries), np.int64)
        arrays = (self.starts, self.codes, self.scales)
        scan(arrays, queries @ self.centroids.T, queries, probes, gate, hits, found)
        return hits[:, :count], found

    def probes_for(self, candidates: int, least: int = 8) -> int:
        """Return how many lists to look through to meet some thirty times the candidates."""
        per_list = max(len(self.keys) / len(self.centroids), 1.0)
        return max(least, math.ceil(30 * candidates / per_list))

    def save(self, folder: Path) -> None:
        """Write the index as one file an array."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.__slots__:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "VectorIndex":
        """Map an index.

        Raises:
            InvalidInput: a file is missing, is no array, or does not fit the others.
        """
        try:
            arrays = [_mapped(folder / f"{name}.npy") for name in cls.__slots__]
        except (OSError, EOFError, ValueError) as error:
            raise InvalidInput(f"the index in {folder.name} cannot be read: {error}") from error
        index = cls(*arrays)
        misfit = index._misfit()
        if misfit:
            raise InvalidInput(
                f"the index in {folder.name} does not fit together: {misfit}",
                hint="restore the bundle or train again; the last good one keeps serving",
            )
        return index

    def _misfit(self) -> str:
        """Return why a scan could leave these arrays, nothing when it cannot."""
        for name, (kind, axes) in _KINDS.items():
            array = getattr(self, name)
            if array.dtype != kind or array.ndim != axes or not array.flags.c_contiguous:
                return f"{name} is {array.dtype} of {array.ndim} axes, not {kind} of {axes}"
        if not len(self.codes) == len(self.scales) == len(self.keys):
            sizes = f"{len(self.codes):,}, {len(self.scales):,} and {len(self.keys):,}"
            return f"{sizes} codes, scales and keys"
        if self.codes.shape[1] != self.centroids.shape[1]:
            return f"codes of {self.codes.shape[1]} and centroids of {self.centroids.shape[1]}"
        if len(self.starts) != len(self.centroids) + 1:
            return f"{len(self.starts):,} starts for {len(self.centroids):,} lists"
        ends = int(self.starts[0]), int(self.starts[-1])
        if ends != (0, len(self.codes)) or (np.diff(self.starts) < 0).any():
            return f"the lists do not follow each other from 0 to {len(self.codes):,}"
        return ""


_KINDS = {
    "centroids": ("float32", 2),
    "starts": ("int64", 1),
    "codes": ("int8", 2),
    "scales": ("float32", 1),
    "keys": ("uint64", 1),
}


def places_in_turn(
    hits: npt.NDArray[np.uint64], found: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the places of several searches' hits: the best of each, then each one's second.

    Args:
        hits: (Q, K), in no order.
        found: (Q,) how many of each there are.
    """
    known = np.arange(hits.shape[1]) < found[:, None]
    in_order = np.sort(np.where(known, hits, np.uint64(0)), axis=1)[:, ::-1]
    places: npt.NDArray[np.int64] = hits_apart(in_order.T[known.T])[0]
    return places


def gate_of(
    view: ItemView, rows: npt.NDArray[np.int64], region: int, user: npt.NDArray[np.void]
) -> Gate:
    """Return what keeps a search from finding what a viewer must not see.

    Args:
        rows: (N,) the row of each place of the index.
        region: code of the viewer's region, 0 for none.
        user: (1,) ``USER_RECORD``; its age counts.
    """
    return view.tables.items, rows, region_bit(region), int(user["age"][0])


def _nearest(
    vectors: Floats, centroids: Floats, on_progress: Callable[[float], None] = lambda share: None
) -> npt.NDArray[np.int64]:
    """Return (N,) the centroid with the largest dot product with each unit vector."""
    owner = np.empty(len(vectors), np.int64)
    scores = np.empty((_BLOCK, len(centroids)), np.float32)
    for first in range(0, len(vectors), _BLOCK):
        block = vectors[first : first + _BLOCK]
        np.matmul(block, centroids.T, out=scores[: len(block)])
        owner[first : first + _BLOCK] = scores[: len(block)].argmax(axis=1)
        on_progress((first + len(block)) / len(vectors))
    return owner


def _mapped(path: Path) -> npt.NDArray[Any]:
    loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise ValueError(f"{path.name} is no array")
    return np.asarray(loaded)


def _centroids(vectors: Floats, seed: int, on_progress: Callable[[float], None]) -> Floats:
    """Return (L, D) unit centroids by spherical k-means on a sample."""
    random = np.random.default_rng(seed)
    lists = min(4096, len(vectors), round(2 * math.sqrt(len(vectors))))
    size = min(len(vectors), lists * _SAMPLE_PER_LIST)
    sample = vectors[random.choice(len(vectors), size, replace=False)]
    centroids = sample[random.choice(size, lists, replace=False)].copy()
    for step in range(_STEPS):
        on_progress(step / _STEPS)
        owner = _nearest(sample, centroids)
        sums = np.zeros_like(centroids)
        np.add.at(sums, owner, sample)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids = np.where(norms > 0, sums / np.maximum(norms, 1e-12), centroids)
        centroids = np.ascontiguousarray(centroids, np.float32)
    return centroids
