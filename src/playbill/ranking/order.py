"""Candidates in order of a score, and the codes by which the heavy scorer knows them."""

import numpy as np
import numpy.typing as npt

from playbill.ranking.order_kernel import fill_categories, fill_keys, fill_ordered
from playbill.ranking.stages import Candidates, RankingRequest, Rows
from playbill.retrieval import ItemView


def best_first(candidates: Candidates) -> Candidates:
    """Return the candidates best first by the light scorer, equal ones as they came.

    What is not finite becomes -inf in ``light`` itself, and stands last. There is no utility yet.
    """
    light, places = candidates.light, candidates.places
    assert light is not None
    assert places is not None
    keys = np.empty(len(light), np.uint64)
    fill_keys(light, keys)
    keys.sort()
    ordered = Candidates(
        np.empty_like(candidates.rows),
        np.empty_like(candidates.sources),
        candidates.features,
        np.empty_like(places),
        np.empty_like(light),
    )
    fill_ordered(
        keys,
        (candidates.rows, candidates.sources, places, light),
        (ordered.rows, ordered.sources, ordered.places, ordered.light),
    )
    return ordered


def categories_of(request: RankingRequest, rows: Rows, view: ItemView) -> npt.NDArray[np.int64]:
    """Return (C, 3) codes of (C,) candidates: surface, region, first topic + 1, 0 for none."""
    codes = np.empty((len(rows), 3), np.int64)
    place = request.surface, request.query.region
    fill_categories(rows, view.tables.items, place, codes)
    return codes
