"""Each source answers its own question, within its quota, with rows that are there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import NOW_MS, Vectors, item_view, query, unit, viewer
from playbill.core import HOUR_MS
from playbill.features.layout import CLICKED, DISLIKED, LIKED, LONG, NO_ROW, WATCHED
from playbill.retrieval import (
    SOURCE_CODES,
    SOURCES,
    DerivedLists,
    ExploreSource,
    FollowedSource,
    FreshSource,
    NextSource,
    SimilarSource,
    TrendingSource,
    VectorSource,
    first_of_each,
)

COUNT = 60
MATRIX = unit(np.random.default_rng(4).normal(size=(COUNT, 8)))
TABLE = Vectors(MATRIX, indexed=50)


def _lists(view, fresh_ms: int = 48 * HOUR_MS) -> DerivedLists:
    lists = DerivedLists(fresh_ms)
    lists.refresh(view, NOW_MS)
    return lists


def _sources(view, table=TABLE):
    lists = _lists(view)
    return (
        VectorSource(table),
        SimilarSource(table),
        FollowedSource(lists),
        FreshSource(lists, table),
        TrendingSource(),
        ExploreSource(lists),
        NextSource(table),
    )


def test_sources_have_names_and_codes_that_records_carry():
    assert SOURCES == ("vector", "similar", "followed", "fresh", "trending", "explore", "next")
    assert [SOURCE_CODES[name] for name in SOURCES] == [1, 2, 3, 4, 5, 6, 7]
    assert [source.name for source in _sources(item_view(COUNT))] == list(SOURCES)


@law(80)
@given(
    quota=st.integers(1, 80),
    seeds=st.lists(st.integers(0, COUNT + 5), max_size=8, unique=True),
    actions=st.lists(
        st.sampled_from([CLICKED, WATCHED, LONG, LIKED | DISLIKED]), min_size=8, max_size=8
    ),
    follows=st.lists(st.integers(0, 14), max_size=5, unique=True),
    trending=st.lists(st.lists(st.integers(0, COUNT + 5), unique=True, max_size=20), max_size=3),
    region=st.integers(0, 3),
    with_vector=st.booleans(),
    seen=st.integers(0, COUNT),
)
def test_no_source_gives_more_than_its_quota_or_names_a_video_twice_or_one_that_is_not_there(
    quota, seeds, actions, follows, trending, region, with_vector, seen
):
    """``seen`` videos are in the view; lists and index know of later ones already."""
    whole = item_view(COUNT, authors=np.arange(COUNT) % 12, trending=trending)
    view = item_view(seen, authors=np.arange(seen) % 12, trending=trending)
    lists = _lists(whole)
    row = viewer(history=seeds, actions=actions[: len(seeds)], follows=follows)
    asked = query(row, region=region, vector=MATRIX[3] if with_vector else None)
    for source in (
        VectorSource(TABLE),
        SimilarSource(TABLE),
        FollowedSource(lists),
        FreshSource(lists, TABLE),
        FreshSource(lists, None),
        TrendingSource(),
        ExploreSource(lists),
    ):
        rows = source.retrieve(asked, view, quota)
        assert rows.dtype == np.int64, source.name
        assert len(rows) <= quota, source.name
        assert len(set(rows.tolist())) == len(rows), source.name
        assert ((rows >= 0) & (rows < view.count)).all(), source.name


@law(60)
@given(seed=st.integers(0, 1_000), quota=st.integers(1, 50))
def test_the_vector_source_gives_the_nearest_best_first(seed, quota):
    vector = unit(np.random.default_rng(seed).normal(size=8))
    rows = VectorSource(TABLE).retrieve(query(vector=vector), item_view(COUNT), quota)
    scores = MATRIX @ vector
    assert len(rows) == quota
    assert (np.diff(scores[rows]) < 0.03).all()
    assert scores[rows].min() > np.sort(scores)[-quota] - 0.03


def test_without_a_vector_there_is_nothing_near():
    assert VectorSource(TABLE).retrieve(query(), item_view(COUNT), 10).tolist() == []


def test_videos_of_the_index_that_are_not_in_item_state_are_left_out():
    table = Vectors(MATRIX, indexed=50)
    table.row_of_place = table.row_of_place.copy()
    table.row_of_place[table.row_of_place < 40] = -1
    table.row_of_place.flags.writeable = False
    rows = VectorSource(table).retrieve(query(vector=MATRIX[45]), item_view(COUNT), 60)
    assert sorted(rows.tolist()) == list(range(40, 60))


def test_similar_begins_with_the_nearest_of_each_recent_video_in_turn():
    row = viewer(history=[7, 21], actions=[CLICKED, LONG])
    rows = SimilarSource(TABLE).retrieve(query(row), item_view(COUNT), 10)
    assert rows[:2].tolist() == [7, 21]
    near = [np.argsort(-(MATRIX @ MATRIX[seed]))[:8].tolist() for seed in (7, 21)]
    assert rows[2] in near[0]
    assert rows[3] in near[1]


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        (CLICKED, True),
        (LONG | WATCHED, True),
        (LIKED, True),
        (WATCHED, False),
        (CLICKED | DISLIKED, False),
        (0, False),
    ],
)
def test_similar_looks_at_what_the_viewer_took_to(actions, found):
    row = viewer(history=[7], actions=[actions])
    rows = SimilarSource(TABLE).retrieve(query(row), item_view(COUNT), 10)
    assert bool(len(rows)) is found


def test_similar_looks_at_the_four_newest_only():
    row = viewer(history=[1, 2, 3, 4, 5], actions=[CLICKED] * 5)
    others = viewer(history=[1, 2, 3, 4], actions=[CLICKED] * 4)
    found = [
        SimilarSource(TABLE).retrieve(query(one), item_view(COUNT), 8).tolist()
        for one in (row, others)
    ]
    assert found[0] == found[1]


def test_similar_to_a_video_without_a_vector_is_nothing():
    row = viewer(history=[58, COUNT + 3], actions=[CLICKED, CLICKED])
    table = Vectors(MATRIX[:55], indexed=50)
    assert SimilarSource(table).retrieve(query(row), item_view(COUNT), 10).tolist() == []


def test_followed_gives_the_newest_of_each_author_the_latest_follow_first():
    view = item_view(12, authors=[0, 1, 2] * 4)
    source = FollowedSource(_lists(view))
    row = viewer(follows=[2, 0, NO_ROW, 77])
    assert source.retrieve(query(row), view, 10).tolist() == [11, 9, 8, 6, 5, 3, 2, 0]
    assert source.retrieve(query(row), view, 3).tolist() == [11, 9, 8]
    assert source.retrieve(query(), view, 10).tolist() == []


def test_a_video_that_changed_hands_is_not_shown_as_one_of_the_old_author():
    view = item_view(6, authors=[0, 1] * 3)
    source = FollowedSource(_lists(view))
    view.tables.items["author"][4] = 1
    assert source.retrieve(query(viewer(follows=[0])), view, 10).tolist() == [2, 0]


def test_fresh_is_half_by_nearness_and_half_by_age():
    view = item_view(40, created_at_ms=NOW_MS - np.arange(40) * 1_000)
    vector = MATRIX[33]
    rows = FreshSource(_lists(view), TABLE).retrieve(query(vector=vector), view, 10)
    nearest = np.argsort(-(MATRIX[:40] @ vector))[:5].tolist()
    assert rows[0] == 33
    assert rows.tolist() == list(dict.fromkeys([*nearest, *range(40)]))[:10]


def test_fresh_is_the_newest_where_nothing_says_what_is_near():
    view = item_view(40, created_at_ms=NOW_MS - np.arange(40) * 1_000)
    for table, vector in ((None, MATRIX[0]), (TABLE, None)):
        rows = FreshSource(_lists(view), table).retrieve(query(vector=vector), view, 7)
        assert rows.tolist() == list(range(7))


def test_a_new_video_without_a_vector_is_fresh_all_the_same():
    view = item_view(60, created_at_ms=NOW_MS - np.arange(60)[::-1] * 1_000)
    table = Vectors(MATRIX[:50], indexed=50)
    rows = FreshSource(_lists(view), table).retrieve(query(vector=MATRIX[0]), view, 20)
    assert set(range(50, 60)) <= set(rows.tolist())


def test_trending_is_the_regions_list_filled_up_from_everywhere():
    view = item_view(20, trending=[[1, 2, 3, 4, 5], [9, 2, 7], []])
    trending = TrendingSource()
    assert trending.retrieve(query(region=1), view, 6).tolist() == [9, 2, 7, 1, 3, 4]
    assert trending.retrieve(query(region=1), view, 2).tolist() == [9, 2]
    assert trending.retrieve(query(region=2), view, 3).tolist() == [1, 2, 3]
    assert trending.retrieve(query(region=0), view, 3).tolist() == [1, 2, 3]
    assert trending.retrieve(query(region=31), view, 3).tolist() == [1, 2, 3]


def test_exploration_gives_every_little_shown_video_the_same_chance():
    view = item_view(40)
    source, drawn = ExploreSource(_lists(view)), np.zeros(40)
    for seed in range(2_000):
        drawn[source.retrieve(query(seed=seed), view, 10)] += 1
    # 2,000 draws of a quarter: mean 500, standard deviation 19.4; 40 videos within 5 of them.
    assert np.abs(drawn - 500).max() < 5 * 19.4


def test_exploration_of_a_small_pool_gives_all_of_it_in_any_order():
    view = item_view(5)
    source = ExploreSource(_lists(view))
    orders = {tuple(source.retrieve(query(seed=seed), view, 10).tolist()) for seed in range(60)}
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4)}
    assert len(orders) > 20


def test_exploration_repeats_with_its_seed():
    view = item_view(40)
    source = ExploreSource(_lists(view))
    first, second = (source.retrieve(query(seed=9), view, 10).tolist() for _ in range(2))
    assert first == second


@law(100)
@given(rows=st.lists(st.integers(0, 2**40), max_size=80))
def test_merging_keeps_each_video_where_it_stood_first(rows):
    merged = np.array(rows, np.int64)
    assert first_of_each(merged).tolist() == sorted(
        np.unique(merged, return_index=True)[1].tolist()
    )


def test_chance_draws_every_video_of_a_large_pool_alike():
    view = item_view(400)
    source = ExploreSource(_lists(view))
    asked = query(seed=3)
    drawn = np.concatenate([source.retrieve(asked, view, 20) for _ in range(2_000)])
    counts = np.bincount(drawn, minlength=400)
    assert (np.abs(counts - 100) < 5 * 10).all()


@law(40)
@given(
    seed=st.integers(0, 1_000),
    region=st.integers(0, 3),
    age=st.sampled_from([0, 12, 255]),
    quota=st.integers(1, 40),
)
def test_what_may_not_be_shown_takes_nobody_s_place(seed, region, age, quota):
    """The nearest that may be shown are found, however many others lie nearer."""
    random = np.random.default_rng(seed)
    view = item_view(50)
    items = view.tables.items
    items["flags"] = random.integers(2, size=50)
    items["regions"] = random.choice([0, 1, 2, 3], size=50)
    items["age_rating"] = random.choice([0, 12, 18], size=50)
    user = viewer()
    user["age"] = age
    bit = 1 << (region - 1) if region else 0
    allowed = (items["flags"] & 1 == 1) & ((items["regions"] == 0) | (items["regions"] & bit > 0))
    allowed &= (age == 255) | (items["age_rating"] <= age)
    asked = query(user, region=region, vector=MATRIX[seed % 50])
    rows = VectorSource(TABLE).retrieve(asked, view, quota)
    assert len(rows) == min(quota, int(allowed.sum()))
    assert allowed[rows].all()
