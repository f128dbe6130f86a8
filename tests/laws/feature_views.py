"""Item state by hand, and a table of vectors over it."""

import numpy as np

from playbill.features import (
    GROUP_RECORD,
    ITEM_RECORD,
    NO_TOPIC,
    TRENDING_LIST,
    VIDEO_NAME,
    VISIBLE,
    ItemTables,
    empty_user,
)
from playbill.retrieval import CatalogueVectors, ItemView, Query, Transitions, VectorIndex

NOW_MS = 1_700_000_000_000


def unit(vectors) -> np.ndarray:
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def item_view(count: int, *, authors=None, created_at_ms=None, flags=VISIBLE, trending=None):
    """Return a view of visible videos of an author each, without topics."""
    items = np.zeros(count, ITEM_RECORD)
    items["key"] = np.arange(count) + 1
    items["author"] = np.arange(count) if authors is None else authors
    items["created_at_ms"] = NOW_MS if created_at_ms is None else created_at_ms
    items["topics"] = NO_TOPIC
    items["flags"] = flags
    lists = np.full((3, TRENDING_LIST), -1, np.int64)
    for group, rows in enumerate(trending or ()):
        lists[group, : len(rows)] = rows
    groups = np.zeros(int(items["author"].max(initial=0)) + 1, GROUP_RECORD)
    names = np.array([f"video{row}".encode() for row in range(count)], VIDEO_NAME)
    return ItemView(ItemTables(items, groups, np.zeros(4, GROUP_RECORD)), lists, names, 1, NOW_MS)


class Vectors(CatalogueVectors):
    """A ``VectorTable`` over a matrix: row n has vector n; the index knows the first ones."""

    def __init__(self, matrix: np.ndarray, indexed: int) -> None:
        keys = np.arange(1, indexed + 1, dtype=np.uint64)
        index = VectorIndex.build(matrix[:indexed], keys, seed=1)
        super().__init__(index, index.keys.astype(np.int32) - 1)
        self.matrix = matrix
        self.extend(item_view(len(matrix)).tables, self)
        self.freshen(np.arange(len(matrix)))

    def follow(self, leading: int, after: int) -> None:
        """Let one video, both among the indexed, be taken after another."""
        place = {row: n for n, row in enumerate(self.row_of_place.tolist())}
        starts = np.zeros(len(place) + 1, np.int64)
        starts[place[leading] + 1 :] = 1
        follower = np.array([place[after]], np.int32)
        self._transitions = Transitions(starts, follower, np.ones(1, np.float32))

    def vectors(self, rows):
        """Return vectors by row, or a tower's by record."""
        if rows.dtype.names:
            return self.matrix[rows["key"].astype(np.int64) - 1]
        return super().vectors(rows)


def query(user=None, *, region: int = 0, vector=None, seed: int = 0) -> Query:
    row = empty_user() if user is None else user
    return Query(row, region, vector, np.random.default_rng(seed))


def viewer(*, history=(), actions=(), follows=()):
    """Return a row with a history, newest first, and follows, newest first."""
    row = empty_user()
    row["history"][0, : len(history)] = history
    row["history_action"][0, : len(history)] = actions
    row["history_count"] = len(history)
    row["follows"][0, : len(follows)] = follows
    row["follow_count"] = len(follows)
    return row
