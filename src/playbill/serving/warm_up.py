"""Running every kernel once with the types it will meet, before anybody waits for it."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import Clock
from playbill.features import Assembler, ItemTables, empty_user
from playbill.models import LightScorer, warm_interests, warm_layers, warm_user_tower
from playbill.ranking import Candidates, Policies, RankingRequest, expected_utility, permitted
from playbill.ranking.order import best_first, categories_of
from playbill.ranking.order_kernel import fill_scores
from playbill.ranking.rules_kernel import broken_by
from playbill.retrieval import (
    EVERY_ROW,
    SOURCES,
    CatalogueVectors,
    ItemView,
    Query,
    SharedView,
    VectorIndex,
    first_of_each,
    gate_of,
    merged,
    view_of,
)
from playbill.retrieval.derived import PER_AUTHOR
from playbill.retrieval.derived_kernel import list_by_author, push_by_author
from playbill.retrieval.merge_kernel import joined
from playbill.retrieval.rows_kernel import still_there
from playbill.retrieval.sources_kernel import (
    drawn,
    first_below,
    listed_of,
    newest_of_followed,
    taken_to,
)


def warm_kernels(shared: SharedView, clock: Clock, settings: Settings) -> None:
    """Compile or load from the cache what a request calls, part after part.

    Item state may be empty: its arrays are there, and their first records read as zeros.
    """
    for part in PARTS.values():
        part(shared, clock, settings)


def _warm_features(shared: SharedView, clock: Clock, settings: Settings) -> None:
    user = empty_user()
    Assembler().read(_first(shared), np.zeros(4, np.int64), user, clock.now_ms())
    LightScorer(np.ones(2, np.float32), np.float32(0.0)).score(np.ones((1, 2), np.float32))


def _warm_models(shared: SharedView, clock: Clock, settings: Settings) -> None:
    warm_layers()
    warm_interests(_viewer())
    warm_user_tower(_viewer())


def _warm_search(shared: SharedView, clock: Clock, settings: Settings) -> None:
    """Find the nearest of eight videos, four of which came later than the index."""
    tables, user = _first(shared), _viewer()
    rows, vectors = np.zeros(4, np.int64), np.eye(8, dtype=np.float32)
    index = VectorIndex.build(vectors, np.arange(1, 9, dtype=np.uint64), 0)
    places = np.zeros(8, np.int32)
    places.flags.writeable = False
    table = CatalogueVectors(index, places, places)
    table.annex.add(vectors[:4], rows)
    still_there(tables.items, places, index.keys)
    table.rows_of(np.array([1, 9], np.uint64), tables.items)
    table.vectors(rows)
    gate = gate_of(view_of(shared), 1, user)
    table.near(vectors, 4, gate)
    table.near_vector(vectors[0], 4, gate)
    table.near_rows(rows, 4, gate, 4)
    table.next_rows(user, 8, 4, gate)


def _warm_rules(shared: SharedView, clock: Clock, settings: Settings) -> None:
    tables, user = _first(shared), _viewer()
    rows, bits = np.zeros(4, np.int64), np.empty(4, np.uint8)
    merged([rows] * len(SOURCES))
    broken_by(rows, tables.items, user, np.uint32(1), rows, EVERY_ROW, 1, bits)
    permitted(bits, 2)
    first_of_each(rows)
    _warm_sources(shared, user)


def _warm_sources(shared: SharedView, user: npt.NDArray[np.void]) -> None:
    """Ask for what sources find without vectors, of lists that are empty."""
    found, items = np.zeros(4, np.int64), shared.items[:8]
    by_author = np.full((0, PER_AUTHOR), -1, np.int64)
    push_by_author(items, len(items), by_author)
    list_by_author(items[:0], np.zeros(0, np.uint8), by_author)
    taken_to(user, 0, found)
    newest_of_followed(user, by_author, items, found)
    first_below(found, 0, found)
    joined(found, found, 0, found)
    listed_of(shared.trending, 0, 0, found)
    drawn(found, np.uint64(0), found)


def _warm_ranking(shared: SharedView, clock: Clock, settings: Settings) -> None:
    """Score and choose a slate of four candidates that are all the same video."""
    view = ItemView(_first(shared), shared.trending, shared.names[:8], 0, clock.now_ms())
    rows = np.zeros(4, np.int64)
    query = Query(_viewer(), 1, None, np.random.default_rng(0))
    asked = RankingRequest(query, surface=1, size=2, excluded=rows, at_ms=view.at_ms, user_epoch=0)
    features = np.zeros((4, 2), np.float32)
    light = np.zeros(4, np.float32)
    came = Candidates(rows, np.zeros(4, np.uint8), features, np.arange(4), light)
    candidates = best_first(came)
    categories_of(asked, rows, view)
    candidates.utility = expected_utility(np.zeros((4, 4), np.float32), np.zeros(4, np.float32))
    fill_scores(candidates.utility, light, light)
    Policies(settings.serving).of(1).selector.select(asked, candidates, view)


PARTS: dict[str, Callable[[SharedView, Clock, Settings], None]] = {
    "ranking": _warm_ranking,
    "features": _warm_features,
    "models": _warm_models,
    "search": _warm_search,
    "rules": _warm_rules,
}
"""What ``warm_kernels`` does, by name, longest to compile first; parts share no kernel that takes
long."""


def _first(shared: SharedView) -> ItemTables:
    """Return the first records of item state, in use or not."""
    return ItemTables(shared.items[:8], shared.authors[:8], shared.topics)


def _viewer() -> npt.NDArray[np.void]:
    user = empty_user()
    user.flags.writeable = False
    return user
