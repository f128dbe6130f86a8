"""Running every kernel once with the types it will meet, before anybody waits for it."""

import numpy as np

from playbill.contracts import Settings
from playbill.core import Clock
from playbill.features import Assembler, ItemTables, empty_user
from playbill.models import LightScorer
from playbill.ranking.rules_kernel import broken_by
from playbill.ranking.select_kernel import select
from playbill.retrieval import (
    CatalogueVectors,
    SharedView,
    VectorIndex,
    first_of_each,
    gate_of,
    view_of,
)


def warm_kernels(shared: SharedView, clock: Clock, settings: Settings) -> None:
    """Compile or load from the cache what a request calls.

    Item state may be empty: its arrays are there, and their first records read as zeros.
    """
    tables = ItemTables(shared.items[:8], shared.authors[:8], shared.topics)
    rows = np.zeros(4, np.int64)
    user = empty_user()
    Assembler().read(tables, rows, user, clock.now_ms())
    user.flags.writeable = False
    broken_by(rows, tables.items, user[0], np.uint32(1), rows, np.empty(len(rows), np.uint8))
    first_of_each(rows)
    select(
        np.arange(4),
        rows,
        tables.items,
        settings.serving.author_cap,
        settings.serving.topic_cap,
        np.zeros(4, np.bool_),
        np.empty(2, np.int64),
    )
    vectors = np.eye(8, dtype=np.float32)
    index = VectorIndex.build(vectors, np.arange(1, 9, dtype=np.uint64), 0)
    places = np.zeros(8, np.int32)
    places.flags.writeable = False
    table = CatalogueVectors(index, places)
    table.annex.add(vectors[:4], rows)
    table.vectors(rows)
    gate = gate_of(view_of(shared), 1, user)
    table.near(vectors, 4, gate)
    LightScorer(np.ones(2, np.float32), np.float32(0.0)).score(np.ones((1, 2), np.float32))
