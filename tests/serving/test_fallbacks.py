"""The lists that nobody ranked: what tops them up, and what they never hold."""

import numpy as np
import pytest

from laws.feature_stories import open_catalogue
from laws.feature_views import NOW_MS, item_view, query, viewer
from laws.feature_worlds import World
from playbill.features import VISIBLE
from playbill.features.layout import DISLIKED
from playbill.ranking import RankingRequest
from playbill.retrieval import SOURCE_CODES, DerivedLists, view_of
from playbill.serving.fallbacks import LastLists, popular

NOTHING = np.empty(0, np.int64)
FRESH_MS = 3_600_000


def _request(user, size: int, excluded=()) -> RankingRequest:
    return RankingRequest(
        query=query(user),
        surface=1,
        size=size,
        excluded=np.array(excluded, np.int64),
        at_ms=NOW_MS,
        user_epoch=0,
    )


def _popular(view, user, size: int, excluded=()) -> list[int]:
    lists = DerivedLists(FRESH_MS)
    lists.refresh(view, NOW_MS)
    found = popular(_request(user, size, excluded), view, lists, NOTHING, NOTHING)
    return [] if found is None else found.rows.tolist()


@pytest.fixture
def hides_author_0():
    return viewer(history=(0,), actions=(DISLIKED,))


def test_authors_that_the_viewer_hid_stay_away_while_there_is_anything_else(hides_author_0):
    view = item_view(8, authors=[0, 0, 0, 1, 2, 3, 4, 5], trending=[[0, 1, 2, 3, 4]])
    assert sorted(_popular(view, hides_author_0, 8)) == [3, 4, 5, 6, 7]
    only = item_view(3, authors=[0, 0, 0], trending=[[0, 1, 2]])
    assert sorted(_popular(only, hides_author_0, 8)) == [0, 1, 2]


def test_a_page_is_topped_up_with_what_the_viewer_has_seen():
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v1", "v4"])
    world.step()
    view = view_of(world.items)
    page = _popular(view, world.viewer("ann"), view.count)
    assert len(page) == view.count
    assert sorted(page[-2:]) == [1, 4]


def test_what_was_excluded_or_taken_down_never_tops_it_up(hides_author_0):
    flags = [VISIBLE, 0, VISIBLE, VISIBLE]
    view = item_view(4, authors=[0, 0, 0, 1], flags=flags, trending=[[0, 1, 2, 3]])
    assert _popular(view, hides_author_0, 4, excluded=[2]) == [3]


def test_before_the_lists_are_derived_the_newest_videos_stand_in():
    view = item_view(6, flags=[VISIBLE, VISIBLE, VISIBLE, VISIBLE, VISIBLE, 0])
    found = popular(_request(None, 3), view, DerivedLists(FRESH_MS), NOTHING, NOTHING)
    assert found is not None
    assert found.rows.tolist() == [4, 3, 2]
    assert set(found.sources) == {SOURCE_CODES["fresh"]}


def test_the_last_list_comes_back_as_it_was_less_what_is_gone():
    flags = [VISIBLE, VISIBLE, 0, VISIBLE]
    view, lists = item_view(4, flags=flags), LastLists()
    sources = np.array([1, 2, 4, 6], np.uint8)
    lists.remember(b"viewer", np.array([3, 2, 0, 1]), sources)
    found = lists.cached(b"viewer", _request(None, 10), view)
    assert found is not None
    assert found.rows.tolist() == [3, 0, 1]
    assert found.sources.tolist() == [1, 4, 6]
    assert lists.cached(b"another", _request(None, 10), view) is None
