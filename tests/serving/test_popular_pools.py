"""The popular tier's pools: the rules are asked each time, and chance is what it says it is."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import NOW_MS, item_view, query, viewer
from playbill.core import FixedClock
from playbill.features import VISIBLE
from playbill.features.layout import DISLIKED
from playbill.ranking import RankingRequest, broken_rules
from playbill.retrieval import SOURCE_CODES, DerivedLists
from playbill.serving.popular_pools import PopularPools

NOTHING = np.empty(0, np.int64)
TRENDING, EXPLORE = SOURCE_CODES["trending"], SOURCE_CODES["explore"]


class Scripted:
    """Draws that a test decides."""

    def __init__(self, order, start):
        self.order, self.start = list(order), start

    def permutation(self, rows):
        return rows[self.order]

    def integers(self, most):
        assert 0 <= self.start < most
        return self.start


def request(user=None, *, size=4, excluded=(), region=0):
    return RankingRequest(
        query=query(user, region=region),
        surface=1,
        size=size,
        excluded=np.array(sorted(excluded), np.int64),
        at_ms=NOW_MS,
        user_epoch=0,
    )


def pools_over(view, *, clock=None, random=None):
    lists = DerivedLists(3_600_000)
    lists.refresh(view, NOW_MS)
    return PopularPools(lists, clock or FixedClock(0), random or np.random.default_rng(5))


def slate(pools, view, asked, listed=NOTHING, ahead=NOTHING):
    return pools.slate(asked, view, listed, ahead)


@law(80)
@given(
    count=st.integers(1, 60),
    popular=st.lists(st.integers(0, 59), max_size=30, unique=True),
    hidden=st.sets(st.integers(0, 59), max_size=20),
    excluded=st.sets(st.integers(0, 59), max_size=20),
    disliked=st.lists(st.integers(0, 59), max_size=3),
    size=st.integers(1, 50),
)
def test_no_slate_repeats_itself_or_holds_what_may_not_be_shown(
    count, popular, hidden, excluded, disliked, size
):
    flags = [0 if row in hidden else VISIBLE for row in range(count)]
    view = item_view(count, flags=flags, trending=[[row for row in popular if row < count]])
    user = viewer(
        history=[row for row in disliked if row < count],
        actions=[DISLIKED for row in disliked if row < count],
    )
    asked = request(user, size=size, excluded=excluded)
    found = slate(pools_over(view), view, asked)
    allowed = set(range(count)) - hidden - excluded
    assert (found is None) == (not allowed)
    if found is None:
        return
    rows = found.rows.tolist()
    assert len(rows) == len(set(rows)) <= size
    assert set(rows) <= allowed
    fine = broken_rules(asked, np.array(sorted(allowed)), view) == 0
    assert len(rows) >= min(size, int(fine.sum()))
    assert found.propensity[found.sources != EXPLORE].tolist() == [1.0] * int(
        (found.sources != EXPLORE).sum()
    )
    assert ((found.propensity > 0.0) & (found.propensity <= 1.0)).all()


def test_popular_ones_stand_in_their_order_and_chance_between_them():
    view = item_view(60, trending=[[9, 8, 7, 6, 5, 4]])
    found = slate(pools_over(view), view, request(size=7))
    assert found.rows[::2].tolist() == [9, 8, 7, 6]
    assert found.sources.tolist() == [TRENDING, EXPLORE] * 3 + [TRENDING]
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)


def test_over_all_that_chance_may_do_each_is_shown_as_often_as_its_propensity_says():
    """Every order of a circle of six, one of them popular too, and every place to begin."""
    view = item_view(6, trending=[[2, 5]])
    shown, promised = np.zeros(6), np.zeros(6)
    trials = 0
    for order in permutations(range(6)):
        for start in range(6):
            pools = pools_over(view, random=Scripted(order, start))
            found = slate(pools, view, request(size=2))
            assert found.rows[0] == 2
            assert found.sources.tolist() == [TRENDING, EXPLORE]
            shown[found.rows[1]] += 1
            promised[found.rows[1]] = found.propensity[1]
            trials += 1
    assert (shown / trials).tolist() == pytest.approx([0.2, 0.2, 0.0, 0.2, 0.2, 0.2])
    assert promised.tolist() == pytest.approx([0.2, 0.2, 0.0, 0.2, 0.2, 0.2])


def test_what_is_taken_down_is_gone_from_the_very_next_slate():
    view = item_view(60, trending=[list(range(20))])
    pools = pools_over(view)
    before = slate(pools, view, request(size=10)).rows.tolist()
    view.tables.items["flags"][before] = 0
    for _ in range(50):
        assert not set(slate(pools, view, request(size=10)).rows.tolist()) & set(before)


def test_a_pool_is_made_anew_after_a_second_and_when_what_it_is_made_of_changes():
    clock = FixedClock(0)
    view = item_view(60, trending=[list(range(20))])
    pools = pools_over(view, clock=clock)

    def first(listed=NOTHING, ahead=NOTHING):
        return int(slate(pools, view, request(), listed, ahead).rows[0])

    assert first() == 0
    view.trending[0, :20] = np.arange(20, 40)
    clock.seconds = 0.9
    assert first() == 0
    clock.seconds = 1.0
    assert first() == 20
    assert first(ahead=np.array([50, 51])) == 50


def test_a_region_s_pool_holds_nothing_that_is_closed_to_it():
    view = item_view(60, trending=[list(range(20)), list(range(20))])
    view.tables.items["regions"][::2] = 2
    found = slate(pools_over(view), view, request(size=20, region=1))
    assert all(row % 2 for row in found.rows.tolist())
    assert len(found.rows) == 20
