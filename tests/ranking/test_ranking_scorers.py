"""The heavy scorer: as many rows as fit, and a reason where not all of them did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import item_view
from laws.ranking_worlds import FakeModel, candidates, request
from playbill.core import FixedClock
from playbill.ranking import TASKS, Deadline, HeavyScorer, expected_utility

WORTH = np.array([1.0, 2.0, 4.0, -12.0], np.float32)


@pytest.fixture
def clock():
    return FixedClock(0)


@pytest.fixture
def model(clock):
    return FakeModel(clock)


def _score(scorer, model, clock, count=60, *, size=10, budget_ms=150.0):
    rows = candidates(count)
    heavy = scorer.score(
        model, request(size=size), rows, item_view(count), Deadline(clock, budget_ms)
    )
    return rows, (heavy.ranked, heavy.reason)


def test_the_utility_of_a_candidate_is_what_its_actions_are_worth_by_their_chance():
    p_action = np.array([[1, 0, 0, 0], [0.5, 0.25, 0.125, 0], [0.1, 0, 0, 0.5]], np.float32)
    np.testing.assert_allclose(expected_utility(p_action, WORTH), [1.0, 1.5, -5.9], rtol=1e-6)
    assert TASKS == ("click", "long_view", "like", "negative")


@law(100)
@given(
    bad=st.sampled_from([np.nan, np.inf, -np.inf]),
    where=st.integers(0, 3),
    row=st.integers(0, 4),
)
def test_a_candidate_with_a_number_that_is_none_comes_last_and_spoils_no_other(bad, where, row):
    p_action = np.full((5, 4), 0.25, np.float32)
    p_action[row, where] = bad
    utility = expected_utility(p_action, WORTH)
    assert utility[row] == -np.inf
    assert (np.delete(utility, row) == -1.25).all()


def test_the_first_candidates_get_a_utility_and_the_rest_stay_below(clock, model):
    model.p_click = lambda features: np.linspace(0.1, 0.9, len(features))
    scorer = HeavyScorer(clock, rows=40, budget_ms=60.0)
    rows, outcome = _score(scorer, model, clock)
    assert outcome == (40, None)
    np.testing.assert_allclose(rows.utility[:40], np.linspace(0.1, 0.9, 40), rtol=1e-6)
    assert (rows.utility[40:] == -np.inf).all()


def test_fewer_candidates_than_rows_are_all_ranked(clock, model):
    scorer = HeavyScorer(clock, rows=40, budget_ms=60.0)
    assert _score(scorer, model, clock, count=7)[1] == (7, None)


def test_the_model_is_told_where_it_is_and_what_each_candidate_is_about(clock, model):
    view = item_view(3)
    view.tables.items["topics"][:, 0] = [5, 0xFFFF, 0]
    asked = request(size=3, region=2, surface=7)
    HeavyScorer(clock, 40, 60.0).score(model, asked, candidates(3), view, Deadline(clock, 150.0))
    ((count, categories),) = model.asked
    assert count == 3
    assert categories.tolist() == [[7, 2, 6], [7, 2, 0], [7, 2, 1]]
    assert categories.dtype == np.int64


def test_a_slower_model_gets_fewer_rows_and_the_reply_says_so(clock, model):
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    assert _score(scorer, model, clock)[1] == (60, None)
    model.ms_per_row = 2.0
    assert _score(scorer, model, clock)[1] == (60, None)
    assert _score(scorer, model, clock)[1] == (30, "heavy_scorer_partial")


def test_what_is_left_of_the_request_is_a_budget_too(clock, model):
    model.ms_per_row = 1.0
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    _score(scorer, model, clock)
    assert _score(scorer, model, clock, budget_ms=25.5)[1] == (25, "heavy_scorer_partial")


def test_below_a_pages_worth_nothing_is_ranked_and_one_row_a_second_asks_how_slow_it_is(
    clock, model
):
    model.ms_per_row = 20.0
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    _score(scorer, model, clock)
    model.asked.clear()
    rows, outcome = _score(scorer, model, clock)
    assert outcome == (0, "heavy_scorer_slow")
    assert rows.utility is None
    assert [count for count, _ in model.asked] == [1]
    assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_slow")
    assert len(model.asked) == 1
    clock.seconds += 1.0
    assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_slow")
    assert [count for count, _ in model.asked] == [1, 1]


def test_a_slow_model_that_recovers_ranks_again(clock, model):
    model.ms_per_row = 20.0
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    _score(scorer, model, clock)
    model.ms_per_row = 0.1
    outcomes = []
    for _ in range(30):
        clock.seconds += 1.0
        outcomes.append(_score(scorer, model, clock)[1])
    assert outcomes[0] == (0, "heavy_scorer_slow")
    assert outcomes[-1] == (60, None)


def test_without_time_the_model_is_not_asked_even_before_its_cost_is_known(clock, model):
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    deadline = Deadline(clock, 10.0)
    clock.seconds += 0.02
    heavy = scorer.score(model, request(), candidates(60), item_view(60), deadline)
    assert (heavy.ranked, heavy.reason) == (0, "heavy_scorer_slow")
    assert model.asked == []


def test_a_failing_model_is_left_alone_after_three_failures_and_tried_again_after_a_second(
    clock, model
):
    model.fails = True
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    for _ in range(3):
        rows, outcome = _score(scorer, model, clock)
        assert outcome == (0, "heavy_scorer_failed")
        assert rows.utility is None
    for _ in range(5):
        assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_resting")
    assert len(model.asked) == 3
    clock.seconds += 1.0
    assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_failed")
    assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_resting")
    model.fails = False
    clock.seconds += 1.0
    assert _score(scorer, model, clock)[1] == (60, None)
    assert _score(scorer, model, clock)[1] == (60, None)


def test_a_model_that_says_no_number_at_all_has_failed(clock, model):
    model.p_click = lambda features: np.full(len(features), np.nan)
    scorer = HeavyScorer(clock, rows=60, budget_ms=60.0)
    for _ in range(3):
        rows, outcome = _score(scorer, model, clock)
        assert outcome == (0, "heavy_scorer_failed")
        assert rows.utility is None
    assert _score(scorer, model, clock)[1] == (0, "heavy_scorer_resting")


def test_a_model_that_misses_one_number_has_not(clock, model):
    model.p_click = lambda features: np.r_[np.nan, np.full(len(features) - 1, 0.5)]
    rows, outcome = _score(HeavyScorer(clock, 60, 60.0), model, clock)
    assert outcome == (60, None)
    assert rows.utility[0] == -np.inf
    assert (rows.utility[1:] == 0.5).all()


def test_without_features_nothing_is_ranked(clock, model):
    rows = candidates(5)
    rows.features = None
    heavy = HeavyScorer(clock, 60, 60.0).score(
        model, request(), rows, item_view(5), Deadline(clock, 150.0)
    )
    assert (heavy.ranked, heavy.reason) == (0, "features_missing")


@law(100)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.3, 3.0, 40.0]),
            st.booleans(),
            st.sampled_from([0.0, 0.4, 1.0]),
            st.integers(1, 80),
            st.integers(1, 20),
        ),
        max_size=25,
    )
)
def test_whatever_a_model_does_a_page_is_ranked_whole_or_there_is_a_reason(steps):
    clock = FixedClock(0)
    model, scorer = FakeModel(clock), HeavyScorer(clock, rows=40, budget_ms=60.0)
    for ms_per_row, fails, wait_s, count, size in steps:
        model.ms_per_row, model.fails = ms_per_row, fails
        clock.seconds += wait_s
        rows, (ranked, reason) = _score(scorer, model, clock, count, size=size)
        assert ranked <= min(40, count)
        if ranked == 0:
            assert reason is not None
            assert rows.utility is None
        else:
            assert ranked >= min(size, count, 40)
            assert (reason is None) == (ranked == min(40, count))
            assert np.isfinite(rows.utility[:ranked]).all()
            assert (rows.utility[ranked:] == -np.inf).all()
