"""Estimates from logged chance, judged by the true values of a simulated world."""

import numpy as np
import pytest

from laws.ranking_worlds import EXPLORE, candidates, item_view, request
from laws.slates import FREE
from playbill.core import InvalidInput
from playbill.ranking import SlateSelector
from playbill.simulation import WorldSettings, make_world
from playbill.training.counterfactuals import in_order_of, told, with_share
from playbill.training.interleaving import interleaved
from playbill.training.off_policy import Decisions, estimate
from playbill.training.shown import Shown

SIZE, MERIT, POOL, SHARE = 6, 8, 10, 0.4
RUNS, FEEDS = 100, 800


class Logged:
    """A simulated world whose feeds are chosen by the selector that serves."""

    def __init__(self) -> None:
        small = WorldSettings(seed=5, videos=400, arrivals=0, users=300, authors=50)
        world = make_world(small, 1_700_000_000_000)
        random = np.random.default_rng(1)
        users = range(world.settings.users)
        videos = np.stack([random.choice(400, MERIT + POOL, replace=False) for _ in users])
        self.p = np.stack([world.responses.chances(u, videos[u]).p_click for u in users])
        self.looked = np.stack([world.responses.examination(u, np.arange(SIZE)) for u in users])
        self.view = item_view(MERIT + POOL)
        self.selector = SlateSelector(FREE, SHARE)
        self.sources = [1] * MERIT + [EXPLORE] * POOL

    def feeds(self, count: int, seed: int):
        """Return viewers, places, what was shown there, and the true chance of a click."""
        random = np.random.default_rng(seed)
        users = random.integers(len(self.p), size=count)
        picks, propensity = np.zeros((2, count, SIZE))
        asked = request(size=SIZE, seed=seed)
        for feed, user in enumerate(users):
            utility = np.r_[1.0 + self.p[user, :MERIT], np.zeros(POOL)]
            found = candidates(MERIT + POOL, utility=utility, sources=self.sources)
            slate = self.selector.select(asked, found, self.view)
            picks[feed], propensity[feed] = slate.picks, slate.propensity
        picks, viewers = picks.astype(np.int64), np.repeat(users, SIZE)
        true = self.p[users[:, None], picks] * self.looked[users]
        places = np.tile(np.arange(SIZE), count)
        by_chance = propensity.ravel() < 0.5
        shown = Shown(
            np.arange(count * SIZE),
            np.repeat(np.arange(count), SIZE),
            places,
            propensity.ravel(),
            by_chance,
            np.full(count * SIZE, SHARE),
        )
        return viewers, shown, picks.ravel(), true.ravel()

    def worth_of_share(self, share: float) -> float:
        """Return the true clicks of a place with another share of chance."""
        merit = -np.sort(-self.p[:, :MERIT], axis=1)[:, :SIZE]
        by_chance = self.p[:, MERIT:].mean(axis=1, keepdims=True)
        return float((((1 - share) * merit + share * by_chance) * self.looked).mean())


@pytest.fixture(scope="module")
def logged():
    return Logged()


@pytest.fixture(scope="module")
def runs(logged):
    """Return a hundred logs, drawn anew, with clicks."""
    found = []
    for seed in range(RUNS):
        viewers, shown, picks, true = logged.feeds(FEEDS, seed)
        clicks = np.random.default_rng(1_000 + seed).random(len(true)) < true
        found.append((viewers, shown, picks, clicks.astype(np.float64)))
    return found


def covered(estimates, key, truth):
    held = sum(e[key]["interval"][0] <= truth <= e[key]["interval"][1] for e in estimates)
    mean = np.mean([e[key]["value"] for e in estimates])
    error = np.mean([e[key]["error"] for e in estimates])
    return held, abs(mean - truth) / error


@pytest.mark.parametrize("share", [0.0, 0.1, 0.45])
def test_what_another_share_of_chance_would_be_worth_is_covered(logged, runs, share):
    estimates = [estimate(with_share(v, shown, clicks, share)) for v, shown, _, clicks in runs]
    truth = logged.worth_of_share(share)
    for key in ("ips", "snips"):
        held, bias = covered(estimates, key, truth)
        assert held >= 90, key
        assert bias < 0.5, key
        errors = [e[key]["error"] for e in estimates]
        assert np.std([e[key]["value"] for e in estimates]) == pytest.approx(
            np.mean(errors), rel=0.3
        )


@pytest.fixture(scope="module")
def order_truth(logged):
    """Return the true clicks of a place of chance if the best video stood first."""
    viewers, shown, picks, _ = logged.feeds(6_000, 77)
    p = logged.p[viewers, picks]
    placed = in_order_of(viewers, shown, p, p, np.ones(len(p)))
    feeds, worth = shown.feeds, []
    for feed in np.unique(feeds):
        chance = np.flatnonzero((feeds == feed) & shown.by_chance)
        if len(chance) > 1:
            looked = logged.looked[viewers[chance[0]], shown.positions[chance]]
            worth.extend(-np.sort(-p[chance]) * looked)
    assert len(worth) == len(placed.rewards)
    return float(np.mean(worth))


def test_what_the_order_of_a_ranker_would_be_worth_is_covered(logged, runs, order_truth):
    estimates = []
    for viewers, shown, picks, clicks in runs:
        p = logged.p[viewers, picks]
        estimates.append(estimate(in_order_of(viewers, shown, clicks, p, 0.7 * p)))
    for key in ("ips", "snips", "dr"):
        held, bias = covered(estimates, key, order_truth)
        assert held >= 90, key
        assert bias < 0.5, key
    errors = {key: np.mean([e[key]["error"] for e in estimates]) for key in ("ips", "dr")}
    assert errors["dr"] < errors["ips"]


def pooled(runs):
    """Return many logs as one."""
    viewers, shown, picks, clicks = zip(*runs, strict=True)
    columns = {
        name: np.concatenate([getattr(each, name) for each in shown]) for name in Shown.__slots__
    }
    columns["feeds"] = columns["feeds"] + np.repeat(np.arange(len(runs)) * FEEDS, FEEDS * SIZE)
    together = Shown(**columns)
    return np.concatenate(viewers), together, np.concatenate(picks), np.concatenate(clicks)


def test_the_worse_order_of_two_is_estimated_lower(logged, runs):
    viewers, shown, picks, clicks = pooled(runs)
    p = logged.p[viewers, picks]
    best, worst = (
        estimate(in_order_of(viewers, shown, clicks, order, p))["dr"] for order in (p, -p)
    )
    assert best["interval"][0] > worst["interval"][1]
    viewers, shown, picks, clicks = pooled(runs[:10])
    p = logged.p[viewers, picks]
    won = interleaved(viewers, shown, clicks > 0, p, -p, seed=1, resamples=50)
    assert won["preference_interval"][0] > 0.0


def test_the_weights_of_a_policy_add_up_to_its_decisions(runs):
    viewers, shown, _, clicks = runs[0]
    for share in (0.1, 0.4):
        found = estimate(with_share(viewers, shown, clicks, share))
        assert found["mean_weight"] == pytest.approx(1.0, abs=0.05)
    same = estimate(with_share(viewers, shown, clicks, SHARE))
    assert same["ips"]["value"] == pytest.approx(clicks.mean(), abs=1e-6)
    assert same["effective_sample"] == pytest.approx(len(clicks), rel=1e-3)


def test_a_policy_outside_what_was_logged_is_refused(runs):
    viewers, shown, _, clicks = runs[0]
    greedy = Shown(*(np.zeros(len(shown)) if name == "share" else
                     np.zeros(len(shown), bool) if name == "by_chance" else
                     np.ones(len(shown)) if name == "propensity" else getattr(shown, name)
                     for name in Shown.__slots__))  # fmt: skip
    with pytest.raises(InvalidInput, match=r"10.0% of what the policy shows was never shown"):
        estimate(with_share(viewers, greedy, clicks, 0.1))
    with pytest.raises(InvalidInput, match="no logged decision can be weighed"):
        estimate(in_order_of(viewers, greedy, clicks, clicks, clicks))
    with pytest.raises(InvalidInput, match="at least 0 and below"):
        with_share(viewers, shown, clicks, 0.7)
    assert "never shown" in told(with_share(viewers, greedy, clicks, 0.1))["refused"]


def test_too_few_effective_decisions_are_refused():
    few = Decisions(np.arange(500), np.ones(500), np.full(500, 0.5), (np.arange(500) < 40) / 1.0)
    with pytest.raises(InvalidInput, match="40 effective decisions"):
        estimate(few)
    heavy = Decisions(np.arange(500), np.ones(500), np.r_[0.001, np.full(499, 0.5)], np.ones(500))
    with pytest.raises(InvalidInput, match="of the weight"):
        estimate(heavy)


def test_two_rankers_alike_are_not_preferred_and_drafts_share_everything():
    random = np.random.default_rng(0)
    feeds = np.repeat(np.arange(300), 6)
    plain = np.zeros(len(feeds))
    shown = Shown(np.arange(len(feeds)), feeds, plain, plain, plain > 1, plain)
    scores = random.random(len(feeds))
    clicks = random.random(len(feeds)) < 0.3
    found = interleaved(feeds, shown, clicks, scores, scores, seed=3, resamples=100)
    low, high = found["preference_interval"]
    assert low < 0.0 < high
    assert found["feeds"] == len(np.unique(feeds[clicks]))
    swapped = interleaved(feeds, shown, clicks, scores, -scores, seed=3, resamples=10)
    back = interleaved(feeds, shown, clicks, -scores, scores, seed=4, resamples=10)
    assert swapped["preference"] == pytest.approx(-back["preference"], abs=0.15)
