"""The vector index: inverted lists of 8-bit codes, mapped read-only from the bundle's folder."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.retrieval.scan_kernel import nearest, scan

Floats = npt.NDArray[np.float32]
_STEPS = 12
_SAMPLE_PER_LIST = 64
_LARGEST_CODE = 127.0


def quantise(vectors: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return (N, D) int8 codes and (N,) what one step of each is worth."""
    largest = np.abs(vectors).max(axis=1)
    scales = (np.maximum(largest, 1e-12) / _LARGEST_CODE).astype(np.float32)
    codes = np.clip(np.rint(vectors / scales[:, None]), -_LARGEST_CODE, _LARGEST_CODE)
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
    def build(cls, vectors: Floats, keys: npt.NDArray[np.uint64], seed: int) -> "VectorIndex":
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
        centroids = _centroids(vectors, seed)
        owner = np.empty(len(vectors), np.int64)
        nearest(vectors, centroids, owner)
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(len(centroids) + 1))
        codes, scales = quantise(vectors[order])
        return cls(centroids, starts.astype(np.int64), codes, scales, keys[order])

    def search(
        self, query: Floats, count: int, probes: int
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the places and scores of about the ``count`` best, best first.

        Args:
            query: (D,) float32.
            count: how many.
            probes: lists looked through; all of them make the search exhaustive.
        """
        coarse = self.centroids @ query
        probes = min(probes, len(coarse))
        lists = np.argpartition(-coarse, probes - 1)[:probes].astype(np.int64)
        room = int((self.starts[lists + 1] - self.starts[lists]).sum())
        if room == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        code, scale = quantise(query[None, :])
        scores, places = np.empty(room, np.float32), np.empty(room, np.int64)
        scan(self.codes, self.scales, self.starts, lists, code[0], scale[0], scores, places)
        if room > count:
            best = np.argpartition(-scores, count - 1)[:count]
            scores, places = scores[best], places[best]
        order = np.lexsort((places, -scores))
        return places[order], scores[order]

    def probes_for(self, candidates: int) -> int:
        """Return how many lists to look through to meet some thirty times the candidates."""
        per_list = max(len(self.keys) / len(self.centroids), 1.0)
        return max(8, math.ceil(30 * candidates / per_list))

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


def _mapped(path: Path) -> npt.NDArray[Any]:
    loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise ValueError(f"{path.name} is no array")
    return np.asarray(loaded)


def _centroids(vectors: Floats, seed: int) -> Floats:
    """Return (L, D) unit centroids by spherical k-means on a sample."""
    random = np.random.default_rng(seed)
    lists = min(4096, len(vectors), round(2 * math.sqrt(len(vectors))))
    size = min(len(vectors), lists * _SAMPLE_PER_LIST)
    sample = vectors[random.choice(len(vectors), size, replace=False)]
    centroids = sample[random.choice(size, lists, replace=False)].copy()
    owner = np.empty(size, np.int64)
    for _ in range(_STEPS):
        nearest(sample, centroids, owner)
        sums = np.zeros_like(centroids)
        np.add.at(sums, owner, sample)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids = np.where(norms > 0, sums / np.maximum(norms, 1e-12), centroids)
        centroids = np.ascontiguousarray(centroids, np.float32)
    return centroids
