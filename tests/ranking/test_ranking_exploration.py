"""Places given to chance, each with the probability that it happened."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import item_view
from laws.ranking_worlds import EXPLORE, candidates, request
from laws.slates import FREE
from playbill.ranking import SlateSelector


def _draw(seed: int, pool: int, size: int, share: float):
    """Draw a slate of the best ``size`` of 8 others, with ``pool`` candidates to explore."""
    sources = [1] * 8 + [EXPLORE] * pool
    rows = candidates(8 + pool, utility=-np.arange(8 + pool), sources=sources)
    selector = SlateSelector(FREE, explore_share=share)
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
    selector = SlateSelector(FREE, explore_share=1.0)
    slate = selector.select(request(size=2), rows, item_view(3))
    assert slate.picks.tolist() == [0, 1]
    assert slate.propensity.tolist() == [1.0, 1.0]
