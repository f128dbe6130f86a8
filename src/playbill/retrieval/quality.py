"""How much of what is truly nearest an index finds: by region, and by the age of videos."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS
from playbill.features.layout import AGE_UNKNOWN
from playbill.retrieval.hits_kernel import hits_apart
from playbill.retrieval.vector_index import Floats, Rows, VectorIndex, nearest
from playbill.retrieval.view import Records, region_bit

AGES_D = (1, 7, 30)
BESIDE = 15
"""As many neighbours as the search beside one recent video wants, unless settings say otherwise."""
_SEEDS = 200
_TIE = 1e-6
"""Videos may share a vector, and then each of them is as near as the others."""
_BLOCK = 200_000


def index_quality(
    index: VectorIndex,
    vectors: Floats,
    items: Records,
    queries: Floats,
    *,
    regions: int,
    now_ms: int,
    count: int = 300,
) -> dict[str, Any]:
    """Return recall of the ``count`` nearest against looking at every vector, unrounded.

    And, as ``beside_videos``, of the ``BESIDE`` nearest to videos, themselves included.

    Query q asks from region q modulo (``regions`` + 1), 0 being none, so that what may not be
    shown there is no neighbour to either.

    Args:
        index: over all the vectors.
        vectors: (N, D) float32 as they were indexed.
        items: (N,) records of the same videos.
        queries: (Q, D) vectors of viewers.
        regions: how many are declared.
        now_ms: from which ages count.
        count: how many neighbours.
    """
    count = min(count, len(vectors))
    asked_from = np.arange(len(queries)) % (regions + 1)
    exact = exactly_nearest(vectors, items, queries, asked_from, count)
    found = _found(index, items, queries, asked_from, exact)
    real = exact >= 0
    age_d = (now_ms - items["created_at_ms"][np.maximum(exact, 0)]) / DAY_MS
    by_age = {
        f"under_{high:g}_d" if high < np.inf else f"over_{low:g}_d": _share(
            found, real & (age_d >= low) & (age_d < high)
        )
        for low, high in pairwise([0, *AGES_D, np.inf])
    }
    by_region = {
        str(region): _share(found, real & (asked_from == region)[:, None])
        for region in range(regions + 1)
    }
    return {
        "videos": len(vectors),
        "lists": len(index.centroids),
        "groups": len(index.groups),
        "looked_into": _looked_into(index, count),
        "neighbours": count,
        "queries": len(queries),
        "recall": _share(found, real),
        "by_region": by_region,
        "by_age": by_age,
        "beside_videos": _beside_videos(index, vectors, items),
    }


def _beside_videos(index: VectorIndex, vectors: Floats, items: Records) -> dict[str, Any]:
    """Return recall of what is nearest to videos that are drawn evenly, asked from no region.

    What is as near as the last of the exactly nearest counts as one of them.
    """
    count = min(BESIDE, len(vectors))
    seeds = np.linspace(0, len(vectors) - 1, min(_SEEDS, len(vectors))).astype(np.int64)
    queries, nowhere = vectors[seeds], np.zeros(len(seeds), np.int64)
    exact = exactly_nearest(vectors, items, queries, nowhere, count)
    as_near, wanted = 0, 0
    found = searched(index, items, queries, nowhere, count)
    for query, places, near in zip(queries, exact, found, strict=True):
        real = places[places >= 0]
        if len(real):
            bar = vectors[real[-1]] @ query - _TIE
            as_near += min(int(np.count_nonzero(vectors[near] @ query >= bar)), len(real))
            wanted += len(real)
    return {
        "looked_into": _looked_into(index, count),
        "neighbours": count,
        "queries": len(seeds),
        "recall": round(as_near / wanted, 4) if wanted else None,
    }


def _looked_into(index: VectorIndex, count: int) -> dict[str, int]:
    groups, lists = index.effort(count)
    return {
        "groups": min(groups, len(index.groups)),
        "lists": min(lists, len(index.centroids)),
    }


def _found(
    index: VectorIndex, items: Records, queries: Floats, asked_from: Rows, exact: Rows
) -> npt.NDArray[np.bool_]:
    """Return (Q, K) True for the exact neighbours that the index finds as well."""
    near = searched(index, items, queries, asked_from, exact.shape[1])
    return np.stack([np.isin(real, found) for real, found in zip(exact, near, strict=True)])


def searched(
    index: VectorIndex, items: Records, queries: Floats, asked_from: Rows, count: int
) -> list[Rows]:
    """Return the places in ``items`` that the index finds for each query, in no order."""
    order = np.argsort(items["key"], kind="stable")
    rows = order[np.searchsorted(items["key"][order], index.keys)].astype(np.int32)
    rows.flags.writeable = False
    near = []
    for q, region in enumerate(asked_from.tolist()):
        gate = items, region_bit(region), AGE_UNKNOWN
        segments, effort = (index.segment(rows),), index.effort(count)
        hits, known = nearest(index.tree, segments, queries[q : q + 1], count, effort, gate)
        near.append(hits_apart(hits[0, : known[0]])[0])
    return near


def _share(found: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    """Return the share of neighbours that were found, None where there are none."""
    return round(float(found[among].mean()), 4) if among.any() else None


def exactly_nearest(
    vectors: Floats, items: Records, queries: Floats, asked_from: Rows, count: int
) -> Rows:
    """Return (Q, ``count``) places of the nearest that may be shown, best first, -1 for none.

    Args:
        vectors: (N, D) float32.
        items: (N,) records of the same videos.
        queries: (Q, D) float32.
        asked_from: (Q,) code of the region of each query, 0 for none.
        count: how many neighbours, at most N.
    """
    best = np.full((len(queries), count), -np.inf, np.float32)
    places = np.full((len(queries), count), -1, np.int64)
    for first, block in _scored(vectors, items, queries, asked_from):
        for q, bar in enumerate(best.min(axis=1)):
            better = np.flatnonzero(block[q] > bar)
            scores = np.concatenate([best[q], block[q, better]])
            named = np.concatenate([places[q], first + better])
            order = np.argpartition(-scores, count - 1)[:count]
            best[q], places[q] = scores[order], named[order]
    return np.take_along_axis(places, np.argsort(-best, axis=1, kind="stable"), 1)


def _scored(
    vectors: Floats, items: Records, queries: Floats, asked_from: Rows
) -> Iterator[tuple[int, Floats]]:
    bits = np.array([region_bit(region) for region in asked_from.tolist()], np.uint32)
    for first in range(0, len(vectors), _BLOCK):
        block = items[first : first + _BLOCK]
        scores = queries @ vectors[first : first + _BLOCK].T
        scores[:, np.flatnonzero(block["flags"] & 1 == 0)] = -np.inf
        somewhere = np.flatnonzero(block["regions"])
        elsewhere = block["regions"][somewhere] & bits[:, None] == 0
        scores[:, somewhere] = np.where(elsewhere, -np.inf, scores[:, somewhere])
        yield first, scores
