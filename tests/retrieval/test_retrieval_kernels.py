"""What sources ask of kernels, beside the same said with NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import Vectors, item_view, unit, viewer
from playbill.features import empty_user
from playbill.features.layout import CLICKED, DISLIKED, LIKED, LONG, NO_ROW, WATCHED
from playbill.retrieval import best_rows, gate_of, rows_of_keys
from playbill.retrieval.dot_kernel import dot
from playbill.retrieval.hits_kernel import best_in_front
from playbill.retrieval.merge_kernel import joined
from playbill.retrieval.rows_kernel import still_there
from playbill.retrieval.sources_kernel import (
    drawn,
    first_below,
    listed_of,
    newest_of_followed,
    taken_to,
)

COUNT = 60
MATRIX = unit(np.random.default_rng(4).normal(size=(COUNT, 8)))
TABLE = Vectors(MATRIX, indexed=50)
ROWS = st.lists(st.integers(-1, 40), max_size=30)


def _first_of_each(rows) -> list[int]:
    return list(dict.fromkeys(int(row) for row in rows))


@law(60)
@given(seed=st.integers(0, 1_000), width=st.sampled_from([1, 2, 7, 8, 16, 63, 64, 65, 128]))
def test_a_product_of_codes_is_exact_whatever_their_width(seed, width):
    random = np.random.default_rng(seed)
    codes = random.integers(-127, 128, (5, width)).astype(np.int8)
    codes[0] = 127
    code = np.where(random.random(width) < 0.5, codes[0], codes[1]).astype(np.int16)
    exact = codes.astype(np.int64) @ code.astype(np.int64)
    assert [dot(codes, place, code) for place in range(5)] == exact.tolist()


@law(100)
@given(
    hits=st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), min_size=1, max_size=80),
    keep=st.integers(1, 80),
)
def test_the_best_come_to_the_front_and_the_least_of_them_last(hits, keep):
    keep = min(keep, len(hits))
    moved = np.array(hits, np.uint64)
    best_in_front(moved, len(hits), keep)
    best = sorted(hits, reverse=True)
    assert sorted(moved[:keep].tolist(), reverse=True) == best[:keep]
    assert sorted(moved.tolist(), reverse=True) == best
    if keep < len(hits):
        assert moved[keep - 1] == best[keep - 1]


@law(100)
@given(first=ROWS, second=ROWS, below=st.integers(0, 40), room=st.integers(1, 20))
def test_two_lists_are_joined_until_there_is_no_room(first, second, below, room):
    found = np.empty(room, np.int64)
    count = joined(np.array(first, np.int64), np.array(second, np.int64), below, found)
    listed = [row for row in [*first, *second] if 0 <= row < below]
    assert found[:count].tolist() == _first_of_each(listed)[:room]
    lists = np.full((3, 30), -1, np.int64)
    lists[0, : len(second)], lists[2, : len(first)] = second, first
    assert found[: listed_of(lists, 2, below, found)].tolist() == _first_of_each(listed)[:room]


@law(100)
@given(rows=ROWS, below=st.integers(0, 40), room=st.integers(1, 20))
def test_the_first_rows_below_a_bound_are_the_first_of_those_a_mask_leaves(rows, below, room):
    listed, found = np.array(rows, np.int64), np.empty(room, np.int64)
    count = first_below(listed, below, found)
    assert found[:count].tolist() == listed[(listed >= 0) & (listed < below)][:room].tolist()


@law(100)
@given(
    history=st.lists(st.integers(0, 40), max_size=12, unique=True),
    actions=st.lists(
        st.sampled_from([0, CLICKED, WATCHED, LONG, LIKED, LIKED | DISLIKED]),
        min_size=12,
        max_size=12,
    ),
    below=st.integers(0, 40),
)
def test_seeds_are_the_newest_that_masks_leave(history, actions, below):
    user, seeds = viewer(history=history, actions=actions[: len(history)]), np.empty(4, np.int64)
    count = user[0]["history_count"]
    acted = user[0]["history_action"][:count]
    liked = (acted & (CLICKED | LONG | LIKED) != 0) & (acted & DISLIKED == 0)
    newest = user[0]["history"][:count][liked][:4].astype(np.int64)
    assert seeds[: taken_to(user, below, seeds)].tolist() == newest[newest < below].tolist()


@law(100)
@given(
    authors=st.lists(st.integers(0, 8), min_size=1, max_size=30),
    follows=st.lists(st.integers(0, 11) | st.just(NO_ROW), max_size=8, unique=True),
    listed=st.lists(st.integers(-1, 34), min_size=36, max_size=36),
    room=st.integers(1, 30),
)
def test_the_newest_of_followed_authors_are_those_that_masks_leave(authors, follows, listed, room):
    """``listed`` names videos of other authors, too, and videos that are not there."""
    view, by_author = item_view(len(authors), authors=authors), np.array(listed).reshape(9, 4)
    wanted = np.array([a for a in follows if a != NO_ROW and a < 9], np.int64)
    rows = by_author[wanted].T.reshape(-1)
    rows = rows[(rows >= 0) & (rows < view.count)]
    rows = rows[np.isin(view.tables.items["author"][rows], wanted)][:room]
    user, found = viewer(follows=follows), np.empty(room, np.int64)
    count = newest_of_followed(user, by_author, view.tables.items, found)
    assert found[:count].tolist() == rows.tolist()


@law(60)
@given(
    seeds=st.lists(st.integers(0, COUNT + 4), min_size=1, max_size=4),
    each=st.integers(1, 20),
    quota=st.integers(1, 60),
    region=st.integers(0, 2),
    hidden=st.sets(st.integers(0, COUNT - 1), max_size=30),
)
def test_neighbours_of_several_come_in_turn(seeds, each, quota, region, hidden):
    view = item_view(COUNT, flags=[int(row not in hidden) for row in range(COUNT)])
    view.tables.items["regions"] = np.arange(COUNT) % 3
    gate, rows = gate_of(view, region, empty_user()), np.array(seeds, np.int64)
    vectors, known = TABLE.vectors(rows)
    hits, found = TABLE.near(vectors[known], each, gate)
    lists = [best_rows(own[:count]).tolist() for own, count in zip(hits, found, strict=True)]
    turns = [own[turn] for turn in range(each) for own in lists if turn < len(own)]
    assert TABLE.near_rows(rows, each, gate, quota).tolist() == _first_of_each(turns)[:quota]
    for vector, own in zip(vectors[known], lists, strict=True):
        assert TABLE.near_vector(vector, each, gate).tolist() == own


@law(100)
@given(seed=st.integers(0, 2**64 - 1), size=st.integers(0, 300), room=st.integers(1, 40))
def test_chance_draws_without_replacement_and_repeats_with_its_seed(seed, size, room):
    pool, again = np.arange(7, 7 + size), np.empty(room, np.int64)
    found = np.empty(room, np.int64)
    assert drawn(pool, np.uint64(seed), found) == min(size, room)
    drawn(pool, np.uint64(seed), again)
    rows = found[: min(size, room)].tolist()
    assert again[: len(rows)].tolist() == rows
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(pool.tolist())


@pytest.mark.parametrize("size", [12, 200])
def test_chance_gives_every_row_every_place_alike(size):
    """A pool that is hardly larger than what is drawn, and one that is much larger."""
    pool, found, places = np.arange(size), np.empty(6, np.int64), np.zeros((6, size))
    draws = 400 * size
    for seed in np.random.default_rng(1).integers(2**63, size=draws).astype(np.uint64):
        drawn(pool, seed, found)
        places[np.arange(6), found] += 1
    # A place is expected 400 times, with a standard deviation of 20 at most.
    assert np.abs(places - 400).max() < 5.5 * 20


@law(40)
@given(
    count=st.integers(1, 400),
    late=st.integers(0, 30),
    parted=st.integers(0, 400),
    seed=st.integers(0, 99),
)
def test_histories_that_part_are_found_out_and_equal_ones_are_believed(count, late, parted, seed):
    """A bundle of ``count`` videos over a state of some more; from row ``parted`` keys differ."""
    view = item_view(count + late)
    keys = view.tables.items["key"][:count].copy()
    rows = np.random.default_rng(seed).permutation(count).astype(np.int32)
    assert still_there(view.tables.items, rows, keys[rows])
    differs = keys[rows] + np.where(rows >= parted, np.uint64(1 << 40), np.uint64(0))
    assert still_there(view.tables.items, rows, differs) == (parted >= count)


@pytest.mark.parametrize("wrong", [-1, 300])
def test_a_row_that_the_state_does_not_have_is_found_out_wherever_it_stands(wrong):
    view, rows = item_view(300), np.arange(300, dtype=np.int32)
    keys = view.tables.items["key"].copy()
    rows[101] = wrong
    assert not still_there(view.tables.items, rows, keys)


def test_of_very_many_videos_a_sample_and_the_newest_tell():
    view = item_view(70_000)
    rows, keys = np.arange(70_000, dtype=np.int32), view.tables.items["key"].copy()
    assert still_there(view.tables.items, rows, keys)
    for first in (0, 4_000, 69_999):
        other = keys.copy()
        other[first:] += np.uint64(1 << 40)
        assert not still_there(view.tables.items, rows, other)


def test_the_newest_of_the_bundle_tell_also_where_the_state_has_grown_far_beyond_it():
    view = item_view(170_000)
    rows = np.random.default_rng(3).permutation(100_000).astype(np.int32)
    keys = view.tables.items["key"][rows]
    assert still_there(view.tables.items, rows, keys)
    differs = keys + np.where(rows >= 99_999, np.uint64(1 << 40), np.uint64(0))
    assert not still_there(view.tables.items, rows, differs)


@law(40)
@given(wanted=st.lists(st.integers(0, 80), max_size=20))
def test_rows_of_keys_are_those_of_the_records_that_have_them(wanted):
    view = item_view(COUNT)
    known = view.tables.items["key"]
    keys = np.array([known[n] if n < COUNT else 1_000_000 + n for n in wanted], np.uint64)
    expected = [n if n < COUNT else -1 for n in wanted]
    assert rows_of_keys(view.tables.items, keys).tolist() == expected
