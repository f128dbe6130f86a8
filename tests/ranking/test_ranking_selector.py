"""The slate: best first under caps, and chance with a known propensity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import item_view
from laws.ranking_worlds import EXPLORE, candidates, request
from playbill.features import NO_TOPIC
from playbill.ranking import SlateSelector

FREE = SlateSelector(author_cap=99, topic_cap=99, explore_share=0.0)


def _view(authors, topics):
    view = item_view(len(authors), authors=authors)
    view.tables.items["topics"][:, 0] = topics
    return view


def _greedy(order, authors, topics, size, author_cap, topic_cap) -> list[int]:
    """Take the best that fit; lift the topics' cap, then the authors', while places are empty."""
    picks: list[int] = []
    for caps in ((author_cap, topic_cap), (author_cap, 10**9), (10**9, 10**9)):
        for c in order:
            same_author = sum(authors[p] == authors[c] for p in picks)
            same_topic = sum(topics[p] == topics[c] != NO_TOPIC for p in picks)
            fits = same_author < caps[0] and same_topic < caps[1]
            if len(picks) < size and c not in picks and fits:
                picks.append(c)
    return picks


@law(150)
@given(
    kinds=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, NO_TOPIC]), st.integers(0, 6)),
        max_size=30,
    ),
    size=st.integers(1, 12),
    author_cap=st.integers(1, 4),
    topic_cap=st.integers(1, 5),
)
def test_caps_hold_unless_places_would_stay_empty(kinds, size, author_cap, topic_cap):
    authors, topics, utility = ([kind[n] for kind in kinds] for n in range(3))
    selector = SlateSelector(author_cap, topic_cap, explore_share=0.0)
    rows = candidates(len(kinds), utility=utility)
    slate = selector.select(request(size=size), rows, _view(authors, topics))
    order = sorted(range(len(kinds)), key=lambda c: (-utility[c], c))
    assert slate.picks.tolist() == _greedy(order, authors, topics, size, author_cap, topic_cap)
    assert len(slate.picks) == min(size, len(kinds))
    assert (slate.propensity == 1.0).all()
    enough = sum(min(author_cap, authors.count(author)) for author in set(authors))
    if enough >= len(slate.picks):
        chosen = [authors[c] for c in slate.picks]
        assert max((chosen.count(author) for author in chosen), default=0) <= author_cap


def test_back_fill_lifts_the_cap_on_topics_before_the_one_on_authors():
    selector = SlateSelector(author_cap=1, topic_cap=1, explore_share=0.0)
    view = _view([0, 0, 1, 2, 2], [0, 1, 0, 1, 1])
    picks = selector.select(request(size=5), candidates(5, utility=[5, 4, 3, 2, 1]), view).picks
    assert picks.tolist() == [0, 3, 2, 1, 4]


def test_videos_without_a_topic_do_not_share_one():
    selector = SlateSelector(author_cap=9, topic_cap=1, explore_share=0.0)
    view = _view([0, 1, 2, 3], [NO_TOPIC, NO_TOPIC, 5, 5])
    picks = selector.select(request(size=3), candidates(4, utility=[1, 2, 4, 3]), view).picks
    assert picks.tolist() == [2, 1, 0]


odd = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1.5, -2.0])


@law(200)
@given(numbers=st.lists(st.tuples(odd, odd), min_size=1, max_size=15), size=st.integers(1, 15))
def test_numbers_that_are_none_leave_the_order_of_the_others_alone(numbers, size):
    utility, light = ([pair[n] for pair in numbers] for n in range(2))
    rows = candidates(len(numbers), utility=utility, light=light)
    picks = FREE.select(request(size=size), rows, item_view(len(numbers))).picks.tolist()
    assert len(picks) == min(size, len(numbers)) == len(set(picks))
    told = [utility[c] for c in picks if not np.isnan(utility[c])]
    assert told == sorted(told, reverse=True)
    first = next((n for n, c in enumerate(picks) if np.isnan(utility[c])), len(picks))
    assert all(np.isnan(utility[c]) for c in picks[first:])


def test_candidates_of_equal_utility_keep_the_order_they_came_in():
    rows = candidates(5, utility=[1, 1, -np.inf, 3, -np.inf])
    rows.rows = np.array([4, 3, 2, 1, 0])
    assert FREE.select(request(size=5), rows, item_view(5)).picks.tolist() == [3, 0, 1, 2, 4]


def test_without_a_utility_they_stay_as_they_came():
    assert FREE.select(request(size=3), candidates(3), item_view(3)).picks.tolist() == [0, 1, 2]


def test_no_candidates_make_an_empty_slate():
    slate = FREE.select(request(size=3), candidates(0), item_view(0))
    assert slate.picks.tolist() == slate.propensity.tolist() == []


def _draw(seed: int, pool: int, size: int, share: float):
    """Draw a slate of the best ``size`` of 8 others, with ``pool`` candidates to explore."""
    sources = [1] * 8 + [EXPLORE] * pool
    rows = candidates(8 + pool, utility=-np.arange(8 + pool), sources=sources)
    selector = SlateSelector(author_cap=99, topic_cap=99, explore_share=share)
    return selector.select(request(size=size, seed=seed), rows, item_view(8 + pool))


@pytest.mark.parametrize(("pool", "size"), [(1, 5), (3, 5), (5, 5), (30, 5), (2, 8)])
def test_a_propensity_is_how_often_it_happens(pool, size):
    share, draws = 0.3, 2_000
    shown = np.zeros((size, 8 + pool))
    promised: dict[tuple[int, int], set[float]] = {}
    for seed in range(draws):
        slate = _draw(seed, pool, size, share)
        assert len(set(slate.picks.tolist())) == size
        for place, (pick, chance) in enumerate(zip(slate.picks, slate.propensity, strict=True)):
            shown[place, pick] += 1
            promised.setdefault((place, int(pick)), set()).add(round(float(chance), 6))
    for (place, pick), chances in promised.items():
        (chance,) = chances
        spread = np.sqrt(chance * (1.0 - chance) / draws)
        assert abs(shown[place, pick] / draws - chance) < 5 * spread, (place, pick)
    for place in range(size):
        own = sum(chance for (at, _), (chance,) in promised.items() if at == place)
        assert own == pytest.approx(1.0, abs=1e-4)


@law(100)
@given(
    pool=st.integers(0, 12),
    size=st.integers(1, 8),
    share=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    seed=st.integers(0, 1 << 32),
)
def test_chance_takes_only_places_that_it_says(pool, size, share, seed):
    slate, plain = _draw(seed, pool, size, share), _draw(seed, pool, size, 0.0)
    assert len(slate.picks) == len(set(slate.picks.tolist())) == size
    explored = slate.picks >= 8
    assert (slate.picks[~explored] == plain.picks[~explored]).all()
    assert ((slate.propensity > 0.0) & (slate.propensity <= 1.0)).all()
    if pool == 0 or share == 0.0:
        assert not explored.any()
        assert (slate.propensity == 1.0).all()
    assert slate.picks.tolist() == _draw(seed, pool, size, share).picks.tolist()


def test_all_places_may_go_to_chance():
    slate = _draw(1, pool=20, size=8, share=1.0)
    assert (slate.picks >= 8).all()
    np.testing.assert_allclose(slate.propensity, 1 / 20)


def test_an_explored_video_that_is_chosen_on_its_merit_is_not_drawn_again():
    rows = candidates(3, utility=[3, 2, 1], sources=[EXPLORE, EXPLORE, 1])
    selector = SlateSelector(author_cap=9, topic_cap=9, explore_share=1.0)
    slate = selector.select(request(size=2), rows, item_view(3))
    assert slate.picks.tolist() == [0, 1]
    assert slate.propensity.tolist() == [1.0, 1.0]
