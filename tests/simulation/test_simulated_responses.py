import numpy as np
import pytest

from playbill.core import InvalidInput
from playbill.simulation import viewer_id
from playbill.simulation.columns import stream
from playbill.simulation.policies import ideal_slate, visible
from playbill.simulation.whims import whims

DRAWS = 6_000


def test_attention_falls_with_position_from_certainty(world):
    positions = np.arange(20)
    for user in range(0, 900, 100):
        seen = world.examination(user, positions)
        assert seen[0] == 1.0
        assert (np.diff(seen) < 0.0).all()
        assert seen[-1] > 0.0


def test_probabilities_are_probabilities_and_follow_names_or_rows(world):
    rows = np.arange(50)
    names = [world.catalogue.video_ids[row] for row in rows]
    by_row = world.true_click(3, rows)
    np.testing.assert_array_equal(by_row, world.true_click(viewer_id(3), names))
    assert ((by_row > 0.0) & (by_row < 1.0)).all()
    assert world.expected_utility(3, names).shape == (50,)


def test_people_click_what_they_love_more_than_what_they_dislike(world):
    taste = world.viewers.taste
    loved, disliked = [], []
    for user in range(200):
        first = world.catalogue.topics[:3_000, 0]
        clicks = world.true_click(user, np.arange(3_000))
        loved.append(clicks[first == taste[user].argmax()].mean())
        disliked.append(clicks[first == taste[user].argmin()].mean())
    assert np.mean(loved) > 5 * np.mean(disliked)


def test_favourite_authors_and_ones_own_language_help(world):
    rows = np.arange(3_000)
    own, foreign, favourite, other = [], [], [], []
    for user in range(200):
        clicks = world.true_click(user, rows)
        spoken = world.catalogue.language[rows] == world.viewers.language[user]
        own.append(clicks[spoken].mean())
        foreign.append(clicks[~spoken].mean())
        loved = np.isin(world.catalogue.author[rows], world.viewers.favourites[user])
        favourite.append(clicks[loved].mean())
        other.append(clicks[~loved].mean())
    assert np.mean(own) > 2 * np.mean(foreign)
    assert np.nanmean(favourite) > 4 * np.mean(other)


def test_draws_come_as_often_as_the_true_probabilities_say(world):
    user, model = 5, world.responses
    videos = ideal_slate(model, user, visible(model, user, world.started_at_ms), 10)
    positions = np.arange(10)
    chances = model.chances(user, videos)
    rng = stream(1, "test-draws")
    outcomes = [model.draw(user, videos, positions, chances, rng) for _ in range(DRAWS)]

    seen = world.examination(user, positions)
    expected = {
        "examined": seen,
        "clicked": seen * chances.p_click,
        "long_viewed": seen * chances.p_click * chances.p_long_view,
        "liked": seen * chances.p_click * chances.p_like,
        "shared": seen * chances.p_click * chances.p_share,
        "followed": seen * chances.p_click * chances.p_follow,
        "hidden": seen * chances.p_hide,
        "reported": seen * chances.p_report,
    }
    for name, probability in expected.items():
        drawn = np.mean([getattr(outcome, name) for outcome in outcomes], axis=0)
        error = np.sqrt(probability * (1.0 - probability) / DRAWS) + 2.0 / DRAWS
        assert (np.abs(drawn - probability) < 4.5 * error).all(), name


def test_nobody_watches_longer_than_the_video_or_acts_without_looking(world):
    videos, positions = np.arange(200), np.arange(200)
    rng = stream(2, "test-draws")
    for user in range(50):
        outcome = world.respond(user, videos, positions, rng)
        assert (outcome.watch_ms <= world.catalogue.duration_ms[videos]).all()
        assert not (outcome.clicked & ~outcome.examined).any()
        assert not (outcome.hidden & ~outcome.examined).any()
        assert not ((outcome.liked | outcome.followed | outcome.shared) & ~outcome.clicked).any()


def test_whims_are_fixed_centred_and_differ_between_pairs():
    videos = np.arange(20_000)
    mine = whims(7, 1, videos)
    np.testing.assert_array_equal(mine, whims(7, 1, videos))
    np.testing.assert_array_equal(mine[100:110], whims(7, 1, np.arange(100, 110)))
    assert abs(mine.mean()) < 0.04
    assert mine.std() == pytest.approx(1.0, abs=0.03)
    for other in (whims(7, 2, videos), whims(8, 1, videos)):
        assert abs(np.corrcoef(mine, other)[0, 1]) < 0.04


def test_ideal_beats_popular_beats_random(world):
    ideal, popular, chance = (
        world.policy_value(name, viewers=150) for name in ("ideal", "popular", "random")
    )
    assert ideal.utility_per_feed > popular.utility_per_feed + 4 * popular.standard_error
    assert popular.utility_per_feed > chance.utility_per_feed + 4 * chance.standard_error
    assert ideal.click_rate > popular.click_rate > chance.click_rate > 0.0


def test_no_policy_shows_what_a_viewer_may_not_see(world):
    children = np.flatnonzero(world.viewers.age < 16)
    user = int(children[0])
    rows = visible(world.responses, user, world.started_at_ms)
    assert (world.catalogue.age_rating[rows] <= world.viewers.age[user]).all()
    assert world.catalogue.shown_in[rows, world.viewers.region[user]].all()
    assert rows.max() < world.settings.videos


def test_strangers_are_refused_by_name(world):
    with pytest.raises(InvalidInput, match=r"no policy.*Did you mean 'popular'"):
        world.policy_value("populr")
    with pytest.raises(InvalidInput, match="at least 2"):
        world.policy_value("random", viewers=1)
    with pytest.raises(InvalidInput, match="not a viewer of a simulated world"):
        world.true_click("anna", np.arange(3))
    with pytest.raises(InvalidInput, match="which has 900"):
        world.true_click("viewer-00900", np.arange(3))
    with pytest.raises(InvalidInput, match="video 'nothing' is not of this world"):
        world.true_click(0, ["nothing"])
