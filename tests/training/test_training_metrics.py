import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.training.bootstrap import Resamples, spread_of
from playbill.training.metrics import auc, calibration, group_aucs, log_losses, weighted_aucs


def counted_auc(labels, scores, weights=None):
    """Every pair, one by one."""
    weights = np.ones(len(labels)) if weights is None else weights
    won = pairs = 0.0
    for i in np.flatnonzero(labels):
        for j in np.flatnonzero(~labels):
            weight = weights[i] * weights[j]
            pairs += weight
            won += weight * ((scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j]))
    return won / pairs if pairs else None


rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_auc_counts_pairs_and_ties_as_halves(found):
    labels, scores, _ = (np.array(column) for column in zip(*found, strict=True))
    expected = counted_auc(labels, scores)
    assert auc(labels, scores.astype(np.float32)) == (
        None if expected is None else pytest.approx(expected)
    )


@settings(max_examples=100, deadline=None)
@given(rows, st.integers(0, 99))
def test_a_weight_is_as_good_as_so_many_rows(found, seed):
    labels, scores, _ = (np.array(column) for column in zip(*found, strict=True))
    weights = np.random.default_rng(seed).integers(0, 3, (2, len(labels)))
    for mine, weight in zip(weighted_aucs(labels, scores, weights), weights, strict=True):
        repeated = (
            auc(np.repeat(labels, weight), np.repeat(scores, weight)) if weight.any() else None
        )
        assert (None if math.isnan(mine) else mine) == (
            None if repeated is None else pytest.approx(repeated)
        )


@settings(max_examples=150, deadline=None)
@given(rows)
def test_auc_by_group_is_the_auc_of_each_group(found):
    labels, scores, groups = (np.array(column) for column in zip(*found, strict=True))
    expected, sizes = [], []
    for group in np.unique(groups):
        inside = groups == group
        value = counted_auc(labels[inside], scores[inside])
        if value is not None:
            expected.append(value)
            sizes.append(inside.sum())
    mine = group_aucs(labels, scores, groups)
    assert mine.aucs == pytest.approx(expected)
    assert mine.sizes.tolist() == sizes
    mean = np.average(expected, weights=sizes) if expected else None
    assert mine.mean() == (None if mean is None else pytest.approx(mean))


def test_a_score_that_depends_on_the_group_alone_orders_no_group():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 6)
    labels, score = random.random(300) < 0.4, random.random(50)[groups]
    found = group_aucs(labels, score, groups)
    assert len(found.aucs) > 40
    assert (found.aucs == 0.5).all()


def test_auc_of_one_class_is_not_known():
    assert auc(np.array([True, True]), np.array([0.1, 0.2])) is None
    assert calibration(np.array([False]), np.array([0.1])) is None


def test_log_loss_is_the_mean_surprise_and_stays_finite():
    labels, p = np.array([True, False, True]), np.array([0.9, 0.2, 0.0])
    expected = [-math.log(0.9), -math.log(0.8), -math.log(1e-7)]
    assert log_losses(labels, p) == pytest.approx(expected)


def test_calibration_is_what_was_promised_over_what_came():
    assert calibration(np.array([True, False, False, True]), np.full(4, 0.75)) == 1.5


def made(users=400, rows=4_000, seed=0):
    random = np.random.default_rng(seed)
    owner = random.integers(0, users, rows)
    p = 1 / (1 + np.exp(-(random.normal(size=users)[owner] + random.normal(size=rows))))
    return owner, random.random(rows) < p, p.astype(np.float32)


def test_resamples_draw_viewers_with_all_their_rows():
    owner, labels, p = made(users=30, rows=200)
    draws = Resamples.draw(owner, 20, seed=1)
    assert (draws.counts.sum(axis=1) == draws.counts.shape[1]).all()
    by_hand = []
    for counts in draws.counts:
        chosen = np.repeat(np.arange(len(owner)), counts[draws.users])
        by_hand.append(counted_auc(labels[chosen], p[chosen]))
    spread = spread_of(draws.aucs(labels, p))
    assert spread.low == pytest.approx(np.quantile(by_hand, 0.025))
    assert spread.high == pytest.approx(np.quantile(by_hand, 0.975))
    assert spread.error == pytest.approx(np.std(by_hand, ddof=1))


def test_an_interval_holds_the_figure_and_narrows_with_more_viewers():
    widths = []
    for users in (200, 3_200):
        owner, labels, p = made(users, rows=10 * users)
        spread = spread_of(Resamples.draw(owner, 100, seed=2).aucs(labels, p))
        assert spread.low < auc(labels, p) < spread.high
        widths.append(spread.high - spread.low)
    assert widths[1] < widths[0] / 2.5


def test_the_same_seed_draws_the_same_interval():
    owner, labels, p = made()
    first, second = (Resamples.draw(owner, 50, seed=3).aucs(labels, p) for _ in range(2))
    assert (first == second).all()


def test_the_spread_of_groups_is_that_of_their_weighted_mean():
    owner, labels, p = made(users=40, rows=400)
    draws = Resamples.draw(owner, 30, seed=4)
    found = group_aucs(labels, p, owner)
    by_hand = []
    for counts in draws.counts:
        weight = found.sizes * counts[draws.users[found.members]]
        by_hand.append((found.aucs * weight).sum() / weight.sum())
    assert draws.groups(found).error == pytest.approx(np.std(by_hand, ddof=1))


def test_too_few_usable_draws_give_no_interval():
    owner = np.array([0, 1, 2])
    draws = Resamples.draw(owner, 50, seed=5)
    spread = spread_of(draws.aucs(np.array([True, False, False]), np.arange(3.0)))
    assert spread.low is spread.high is spread.error is None
