"""Candidates in order of a score, and what the heavy scorer is asked about the first of them."""

import numpy as np
import numpy.typing as npt

from playbill.ranking.order_kernel import fill_heavy_input, fill_keys, fill_ordered
from playbill.ranking.stages import Candidates, Floats, RankingRequest
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
