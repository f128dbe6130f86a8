"""Videos that come after an index was built: found as those of a new index would be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import NOW_MS, item_view, unit
from playbill.features import VISIBLE, empty_user
from playbill.retrieval import CatalogueVectors, VectorIndex, best_rows, gate_of
from playbill.retrieval.annex import Annex
from playbill.retrieval.quality import exactly_nearest, index_quality


def _vectors(seed: int, count: int, width: int = 16) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(40, width))
    return unit(centres[random.integers(40, size=count)] + 0.5 * random.normal(size=(count, width)))


class _Tower:
    def __init__(self, matrix: np.ndarray) -> None:
        self._matrix = matrix

    def vectors(self, items):
        return self._matrix[items["key"].astype(np.int64) - 1]


def _catalogue(matrix: np.ndarray, indexed: int) -> CatalogueVectors:
    index = VectorIndex.build(matrix[:indexed], np.arange(1, indexed + 1, dtype=np.uint64), 1)
    return CatalogueVectors(index, index.keys.astype(np.int32) - 1)


def _near(table: CatalogueVectors, vector: np.ndarray, count: int, view) -> list[int]:
    hits, found = table.near(vector[None, :], count, gate_of(view, 0, empty_user()))
    return best_rows(hits[0, : found[0]]).tolist()


@law(40)
@given(
    indexed=st.integers(1, 80),
    arrivals=st.lists(st.integers(0, 30), max_size=6),
    merged=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_every_newcomer_is_its_own_nearest_however_it_came(indexed, arrivals, merged):
    total = indexed + sum(arrivals)
    matrix = unit(np.random.default_rng(total).normal(size=(total, 8)))
    table, tower = _catalogue(matrix, indexed), _Tower(matrix)
    known = indexed
    table.extend(item_view(known).tables, tower)
    for arrived, merge in zip(arrivals, merged, strict=False):
        known += arrived
        table.extend(item_view(known).tables, tower)
        if merge:
            table.annex.merge()
    view = item_view(known)
    assert len(table.annex) == known - indexed
    for row in range(known):
        assert _near(table, matrix[row], 1, view) == [row]
    vectors, has_one = table.vectors(np.arange(known + 2))
    assert has_one.tolist() == [True] * known + [False, False]
    np.testing.assert_allclose(vectors[:known], matrix[:known], atol=0.01)


def _found(annex: Annex) -> list[int]:
    return sorted(np.concatenate([rows for *_, rows in annex.segments]).tolist())


def test_merging_changes_nothing_that_is_found():
    matrix = _vectors(1, 3_000)
    table = _catalogue(matrix, 1_000)
    view = item_view(3_000)
    table.extend(view.tables, _Tower(matrix))
    before = [_near(table, vector, 50, view) for vector in matrix[:20]]
    table.annex.merge()
    assert [_near(table, vector, 50, view) for vector in matrix[:20]] == before
    assert not table.annex.crowded


def test_what_arrives_while_others_are_merged_is_found():
    index = VectorIndex.build(_vectors(2, 200), np.arange(1, 201, dtype=np.uint64), 1)
    annex = Annex(index)
    annex.add(_vectors(3, 50), np.arange(200, 250))
    annex.publish()
    merged = annex.merged()
    for first in (250, 257):
        annex.add(_vectors(4, 7), np.arange(first, first + 7))
        annex.publish()
        assert _found(annex) == list(range(200, first + 7))
    annex.take(merged)
    assert _found(annex) == list(range(200, 264))
    annex.add(_vectors(5, 1), np.array([264]))
    annex.publish()
    assert _found(annex) == list(range(200, 265))


def test_after_many_inserts_and_deletes_recall_is_that_of_a_rebuild():
    total, indexed, count = 24_000, 16_000, 100
    matrix = _vectors(5, total, 32)
    flags = np.full(total, VISIBLE)
    flags[np.random.default_rng(6).choice(total, 4_000, replace=False)] = 0
    view = item_view(total, flags=flags)
    filled, tower = _catalogue(matrix, indexed), _Tower(matrix)
    filled.extend(view.tables, tower)
    rebuilt = _catalogue(matrix, total)
    rebuilt.extend(view.tables, tower)
    shown = np.flatnonzero(flags == VISIBLE)
    recall = []
    for table in (filled, rebuilt):
        found = []
        for query in _vectors(7, 60, 32):
            exact = shown[np.argsort(-(matrix[shown] @ query), kind="stable")[:count]]
            near = _near(table, query, count, view)
            assert set(near) <= set(shown.tolist())
            found.append(np.isin(exact, near).mean())
        recall.append(np.mean(found))
    assert recall[0] > recall[1] - 0.01
    assert recall[1] > 0.9


def test_the_report_on_an_index_is_what_counting_by_hand_gives():
    matrix = _vectors(8, 2_000)
    view = item_view(2_000, created_at_ms=NOW_MS - np.arange(2_000) * 3_600_000)
    items = view.tables.items
    items["regions"][::7] = 2
    index = VectorIndex.build(matrix, items["key"], 1)
    queries = _vectors(9, 12)
    report = index_quality(index, matrix, items, queries, regions=2, now_ms=NOW_MS, count=20)
    order = index.keys.astype(np.int64) - 1
    found, wanted = 0, 0
    for q, query in enumerate(queries):
        region = q % 3
        bit = 1 << (region - 1) if region else 0
        allowed = (items["regions"] == 0) | (items["regions"] & bit != 0)
        exact = np.flatnonzero(allowed)[np.argsort(-(matrix[allowed] @ query))[:20]]
        table = CatalogueVectors(index, order.astype(np.int32))
        table.row_of_place.flags.writeable = False
        hits, known = table.near(query[None, :], 20, gate_of(view, region, empty_user()))
        found += np.isin(exact, best_rows(hits[0, : known[0]])).sum()
        wanted += 20
    assert report["recall"] == pytest.approx(found / wanted, abs=1e-4)
    beside, everywhere = report["beside_videos"], np.flatnonzero(items["regions"] == 0)
    near = []
    for seed in np.linspace(0, 1_999, 200).astype(int):
        exact = everywhere[np.argsort(-(matrix[everywhere] @ matrix[seed]))[:15]]
        near.append(np.isin(exact, _near(table, matrix[seed], 15, view)).mean())
    assert beside["recall"] == pytest.approx(np.mean(near), abs=1e-4)
    assert (beside["neighbours"], beside["queries"]) == (15, 200)
    assert beside["looked_into"]["lists"] < report["looked_into"]["lists"]
    assert set(report["by_region"]) == {"0", "1", "2"}
    assert set(report["by_age"]) == {"under_1_d", "under_7_d", "under_30_d", "over_30_d"}
    assert report["videos"] == 2_000


def test_the_exactly_nearest_are_those_of_a_full_sort_best_first():
    matrix = _vectors(11, 3_000)
    flags = np.full(3_000, VISIBLE)
    flags[::5] = 0
    items = item_view(3_000, flags=flags).tables.items
    items["regions"][::3] = 4
    queries, asked_from = _vectors(12, 9), np.arange(9) % 4
    exact = exactly_nearest(matrix, items, queries, asked_from, 50)
    for query, region, places in zip(queries, asked_from.tolist(), exact, strict=True):
        shown = (flags == VISIBLE) & ((items["regions"] == 0) | (region == 3))
        allowed = np.flatnonzero(shown)
        order = np.argsort(-(matrix[allowed] @ query), kind="stable")
        assert places.tolist() == allowed[order][:50].tolist()
    few = exactly_nearest(matrix[:8], items[:8], queries, asked_from, 8)
    assert (few[asked_from != 3, -4:] == -1).all()
    assert (few[:, :4] >= 0).all()


def test_what_is_as_near_as_the_last_neighbour_counts_as_one():
    """Half of the videos share one vector; which fifteen of them a search names is no matter."""
    matrix = _vectors(13, 400)
    matrix[::2] = matrix[0]
    items = item_view(400).tables.items
    index = VectorIndex.build(matrix, items["key"], 1)
    report = index_quality(index, matrix, items, matrix[:4], regions=0, now_ms=NOW_MS, count=400)
    assert report["beside_videos"]["recall"] > 0.9
