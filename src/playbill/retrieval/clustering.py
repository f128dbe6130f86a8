"""Clustering vectors into groups of lists: spherical k-means, twice, on samples.

The upper level makes looking for the nearest of thirty thousand lists cheap, when a list is built
as much as when it is looked for.
"""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from playbill.retrieval.clustering_kernel import add_up

Floats = npt.NDArray[np.float32]
OnProgress = Callable[[float], None]
T = TypeVar("T")

_PER_LIST = 256
_SAMPLE_PER_CENTRE = 64
_STEPS = 10
_BLOCK = 8_192
_NEIGHBOURS = 3
"""A vector may belong to a list of one of the groups next to its own."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """N vectors in L lists, and the lists in S groups.

    ``groups`` (S, D) centres; ``group_starts`` (S + 1,) where the lists of each begin;
    ``centroids`` (L, D) of lists; ``owner`` (N,) the list of each vector.
    """

    groups: Floats
    group_starts: npt.NDArray[np.int64]
    centroids: Floats
    owner: npt.NDArray[np.int32]


def cluster(vectors: Floats, seed: int, on_progress: OnProgress = lambda share: None) -> Clusters:
    """Return the clusters of (N, D) unit vectors; all cores, and the same for a seed on any."""
    lists = min(len(vectors), max(round(2 * math.sqrt(len(vectors))), len(vectors) // _PER_LIST))
    wanted = max(1, round(math.sqrt(lists)))
    groups = _centres(vectors, wanted, np.random.default_rng([seed, 0]))
    on_progress(0.1)
    group_of = _nearest(vectors, groups)
    on_progress(0.3)
    order = np.argsort(group_of, kind="stable")
    ends = np.searchsorted(group_of[order], np.arange(wanted + 1))
    members = [order[first:last] for first, last in pairwise(ends)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:

        def divide(group: int) -> Floats:
            own = members[group]
            random = np.random.default_rng([seed, 1, group])
            return _centres(vectors, round(lists * len(own) / len(vectors)), random, own)

        divided = list(_told(pool.map(divide, range(wanted)), wanted, on_progress, 0.3, 0.6))
        starts = np.cumsum([0, *(len(part) for part in divided)])
        beside = np.argsort(-(groups @ groups.T), axis=1, kind="stable")[:, :_NEIGHBOURS]
        owner = np.empty(len(vectors), np.int32)

        def assign(group: int) -> None:
            near = beside[group]
            names = np.concatenate([np.arange(starts[n], starts[n + 1]) for n in near])
            centres = np.concatenate([divided[n] for n in near])
            own = members[group]
            owner[own] = names[_nearest(vectors, centres, own)]

        for _ in _told(pool.map(assign, range(wanted)), wanted, on_progress, 0.6, 1.0):
            pass
    return Clusters(groups, starts.astype(np.int64), np.concatenate(divided), owner)


def _told(
    done: Iterator[T], count: int, on_progress: OnProgress, first: float, last: float
) -> Iterator[T]:
    for place, part in enumerate(done, start=1):
        on_progress(first + (last - first) * place / count)
        yield part


def _centres(
    vectors: Floats,
    wanted: int,
    random: np.random.Generator,
    among: npt.NDArray[np.int64] | None = None,
) -> Floats:
    """Return at least one and at most (``wanted``, D) unit centres of some of the vectors."""
    count = len(vectors) if among is None else len(among)
    wanted = min(max(wanted, 1), max(count, 1))
    if not count:
        return np.zeros((1, vectors.shape[1]), np.float32)
    drawn = random.choice(count, min(count, wanted * _SAMPLE_PER_CENTRE), replace=False)
    sample = np.ascontiguousarray(vectors[drawn if among is None else among[drawn]])
    centres = sample[random.choice(len(sample), wanted, replace=False)].copy()
    for _ in range(_STEPS):
        sums = np.zeros_like(centres)
        add_up(sample, _nearest(sample, centres), sums)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)
        centres = np.ascontiguousarray(centres, np.float32)
    return centres


def _nearest(
    vectors: Floats, centres: Floats, among: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int32]:
    """Return the centre with the largest dot product with each vector, or with some of them."""
    count = len(vectors) if among is None else len(among)
    owner = np.empty(count, np.int32)
    scores = np.empty((min(_BLOCK, count), len(centres)), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        block = vectors[first:last] if among is None else vectors[among[first:last]]
        np.matmul(block, centres.T, out=scores[: len(block)])
        owner[first:last] = scores[: len(block)].argmax(axis=1)
    return owner
