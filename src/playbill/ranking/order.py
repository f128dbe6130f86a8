"""Candidates in order of a score, and what the heavy scorer is asked about the first of them."""

import numpy as np
import numpy.typing as npt

from playbill.ranking.order_kernel import fill_heavy_input, fill_keys, places_of
from playbill.ranking.stages import Candidates, Floats, RankingRequest, Rows
from playbill.retrieval import ItemView


def best_first(scores: Floats) -> Rows:
    """Return the places of (C,) scores, best first, equal ones as they came.

    What is not finite becomes -inf in ``scores`` itself, and stands last.
    """
    keys = np.empty(len(scores), np.uint64)
    fill_keys(scores, keys)
    keys.sort()
    places: Rows = places_of(keys[::-1])
    return places


def heavy_input(
    request: RankingRequest, candidates: Candidates, count: int, view: ItemView
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return (H, F) features and (H, 3) codes of the first ``count`` candidates.

    The codes: surface, region, first topic + 1, 0 for none.
    """
    features, places = candidates.features, candidates.places
    assert features is not None
    assert places is not None
    dense = np.empty((count, features.shape[1]), np.float32)
    categories = np.empty((count, 3), np.int64)
    place = request.surface, request.query.region
    fill_heavy_input(places, features, candidates.rows, view.tables.items, place, dense, categories)
    return dense, categories
