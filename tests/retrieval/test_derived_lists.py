"""Derived lists against looking at every record, while the catalogue grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import NOW_MS, item_view
from laws.feature_worlds import MemoryItems, World, video
from playbill.core import DAY_MS, HOUR_MS
from playbill.features import VISIBLE
from playbill.features.definitions import DAYS, Scope, Signal, Slot
from playbill.features.layout import SLOTS
from playbill.retrieval import DerivedLists, derived, view_of
from playbill.retrieval.derived import LITTLE_SHOWN, PER_AUTHOR, POOL

FRESH_MS = 2 * DAY_MS
SHOWN = SLOTS[Scope.ITEM].index(Slot(Scope.ITEM, 14 * DAYS, Signal.IMPRESSION))

growths = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.integers(0, 5),
                st.integers(0, 5 * 24),
                st.sampled_from([VISIBLE, VISIBLE, 0]),
                st.sampled_from([0.0, 29.9, 30.0, 1e4]),
            ),
            max_size=14,
        ),
        st.lists(st.integers(0, 40), max_size=3),
    ),
    max_size=6,
)


def _view(videos, hidden):
    """Return a view of (author, age in hours, flags, times shown), the ``hidden`` ones hidden."""
    view = item_view(
        len(videos),
        authors=[author for author, *_ in videos],
        created_at_ms=[NOW_MS - hours * HOUR_MS for _, hours, *_ in videos],
        flags=[flags for _, _, flags, _ in videos],
    )
    items = view.tables.items
    items["slots"][:, SHOWN] = [shown for *_, shown in videos]
    items["landmark_ms"] = NOW_MS + HOUR_MS
    items["flags"][[row for row in hidden if row < len(items)]] = 0
    return view


@law(120)
@given(growths=growths)
def test_lists_are_what_looking_at_every_record_gives(growths):
    lists, videos, hidden = DerivedLists(FRESH_MS), [], set()
    for turn, (more, gone) in enumerate(growths):
        videos += more
        hidden.update(gone)
        lists.refresh(_view(videos, hidden), NOW_MS + 5_000 * turn)
        shown = [
            row
            for row, (_, _, flags, _) in enumerate(videos)
            if flags & VISIBLE and row not in hidden
        ]
        young = [row for row in shown if videos[row][1] * HOUR_MS < FRESH_MS]
        assert lists.fresh.tolist() == sorted(young, key=lambda row: (videos[row][1], row))
        assert lists.pool.tolist() == [row for row in shown if videos[row][3] < LITTLE_SHOWN]
        for author in {author for author, *_ in videos}:
            own = [row for row, (other, *_) in enumerate(videos) if other == author]
            newest = own[::-1][:PER_AUTHOR]
            assert lists.by_author[author].tolist() == newest + [-1] * (PER_AUTHOR - len(newest))


def test_the_pool_is_looked_for_among_the_newest_records_only(monkeypatch):
    monkeypatch.setattr(derived, "_LOOK_BACK", 10)
    lists = DerivedLists(FRESH_MS)
    lists.refresh(item_view(25), NOW_MS)
    assert lists.pool.tolist() == list(range(15, 25))
    assert lists.fresh.tolist() == list(range(25))
    assert (lists.by_author[:25, 0] == np.arange(25)).all()


def test_the_pool_holds_the_newest_of_the_little_shown(monkeypatch):
    monkeypatch.setattr(derived, "POOL", 3)
    lists = DerivedLists(FRESH_MS)
    lists.refresh(item_view(9), NOW_MS)
    assert lists.pool.tolist() == [6, 7, 8]
    assert POOL == 4_096


@pytest.mark.parametrize(("days", "pool"), [(0, []), (13, []), (14, [0])])
def test_what_was_shown_long_ago_is_little_shown_again(days, pool):
    view = item_view(1)
    view.tables.items["landmark_ms"] = NOW_MS - days * DAY_MS
    view.tables.items["slots"][:, SHOWN] = 2 * LITTLE_SHOWN - 1
    lists = DerivedLists(FRESH_MS)
    lists.refresh(view, NOW_MS)
    assert lists.pool.tolist() == pool


def test_the_newest_of_very_many_are_those_of_few(monkeypatch):
    monkeypatch.setattr(derived, "NEWEST", 5)
    monkeypatch.setattr(derived, "_KEPT", 10)
    ages = np.random.default_rng(1).permutation(1_000)
    view = item_view(1_000, created_at_ms=NOW_MS - ages)
    lists = DerivedLists(FRESH_MS)
    lists.refresh(view, NOW_MS)
    assert ages[lists.fresh].tolist() == [0, 1, 2, 3, 4]


def test_another_state_with_fewer_videos_begins_anew():
    lists = DerivedLists(HOUR_MS)
    lists.refresh(item_view(5_000), NOW_MS)
    fewer, fresh = item_view(40), DerivedLists(HOUR_MS)
    for each in (lists, fresh):
        each.refresh(fewer, NOW_MS)
    for name in ("fresh", "pool", "by_author"):
        assert getattr(lists, name).tolist() == getattr(fresh, name).tolist()


def test_an_empty_catalogue_has_empty_lists():
    lists = DerivedLists(FRESH_MS)
    lists.refresh(item_view(0), NOW_MS)
    assert lists.fresh.tolist() == lists.pool.tolist() == []
    lists.refresh(item_view(2), NOW_MS)
    assert lists.fresh.tolist() == [0, 1]


@pytest.mark.parametrize("hours", [0, 47])
def test_young_is_younger_than_the_setting(hours):
    lists = DerivedLists(FRESH_MS)
    created_ms = NOW_MS - hours * HOUR_MS
    lists.refresh(item_view(1, created_at_ms=created_ms), NOW_MS)
    assert lists.fresh.tolist() == [0]
    lists.refresh(item_view(1, created_at_ms=created_ms), created_ms + FRESH_MS)
    assert lists.fresh.tolist() == []


def test_a_view_is_what_was_published():
    items = MemoryItems()
    world = World(items=items)
    world.post(video("v0"), video("v1", "ben", ("sea", "art")))
    world.step()
    view = view_of(items)
    assert (view.count, view.epoch, view.at_ms) == (2, 1, world.state.at_ms)
    assert (len(view.tables.authors), len(view.tables.topics)) == (2, 3)
    world.post(video("v2", "cy"))
    world.step()
    assert (view.count, view_of(items).count) == (2, 3)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 60))
def test_authors_lists_are_the_same_made_at_once_or_along_the_way(authors, step):
    at_once, along = DerivedLists(FRESH_MS), DerivedLists(FRESH_MS)
    at_once.refresh(item_view(len(authors), authors=authors), NOW_MS)
    for count in (*range(step, len(authors), step), len(authors)):
        along.refresh(item_view(count, authors=authors[:count]), NOW_MS)
    for author in set(authors):
        assert at_once.by_author[author].tolist() == along.by_author[author].tolist()
