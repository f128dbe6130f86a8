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
    exact = _exact(vectors, items, queries, asked_from, count)
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
        "looked_into": dict(zip(("groups", "lists"), index.effort(count), strict=True)),
        "neighbours": count,
        "queries": len(queries),
        "recall": _share(found, real),
        "by_region": by_region,
        "by_age": by_age,
    }


def _found(
    index: VectorIndex, items: Records, queries: Floats, asked_from: Rows, exact: Rows
) -> npt.NDArray[np.bool_]:
    """Return (Q, K) True for the exact neighbours that the index finds as well."""
    count = exact.shape[1]
    order = np.argsort(items["key"], kind="stable")
    rows = order[np.searchsorted(items["key"][order], index.keys)].astype(np.int32)
    rows.flags.writeable = False
    found = np.zeros(exact.shape, np.bool_)
    for q, region in enumerate(asked_from.tolist()):
        gate = items, region_bit(region), AGE_UNKNOWN
        segments, effort = (index.segment(rows),), index.effort(count)
        hits, known = nearest(index.tree, segments, queries[q : q + 1], count, effort, gate)
        found[q] = np.isin(exact[q], hits_apart(hits[0, : known[0]])[0])
    return found


def _share(found: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    """Return the share of neighbours that were found, None where there are none."""
    return round(float(found[among].mean()), 4) if among.any() else None


def _exact(vectors: Floats, items: Records, queries: Floats, asked_from: Rows, count: int) -> Rows:
    """Return (Q, ``count``) places of the nearest that may be shown, -1 where there are fewer."""
    best = np.full((len(queries), count), -np.inf, np.float32)
    places = np.full((len(queries), count), -1, np.int64)
    for first, block in _scored(vectors, items, queries, asked_from):
        beside = np.broadcast_to(np.arange(first, first + block.shape[1]), block.shape)
        scores = np.concatenate([best, block], axis=1)
        named = np.concatenate([places, beside], axis=1)
        order = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        best, places = np.take_along_axis(scores, order, 1), np.take_along_axis(named, order, 1)
    return np.where(np.isfinite(best), places, -1)


def _scored(
    vectors: Floats, items: Records, queries: Floats, asked_from: Rows
) -> Iterator[tuple[int, Floats]]:
    bits = np.array([region_bit(region) for region in asked_from.tolist()], np.uint32)
    for first in range(0, len(vectors), _BLOCK):
        block = items[first : first + _BLOCK]
        scores = queries @ vectors[first : first + _BLOCK].T
        elsewhere = (block["regions"] != 0) & (block["regions"] & bits[:, None] == 0)
        scores[elsewhere | (block["flags"] & 1 == 0)] = -np.inf
        yield first, scores
