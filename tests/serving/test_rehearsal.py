"""Feeds of late are made again before a bundle serves: unseen, unrecorded, in bounded time."""

import numpy as np
import pytest

from laws.feature_worlds import PSEUDONYMS
from laws.serving_worlds import filled_world, served
from playbill.contracts import REQUEST_RECORD, FeedRequest
from playbill.core import DependencyUnavailable
from playbill.retrieval import view_of
from playbill.serving.rehearsal import BUDGET_S, rehearse, requests_again


@pytest.fixture
def home():
    return served(filled_world())


def heads_of(home, *viewers):
    for viewer in viewers:
        home.service.feed(FeedRequest(user_id=viewer, size=7))
    return np.concatenate([np.empty(0, REQUEST_RECORD), *(head for head, _ in home.kept.records)])


def again(home, *viewers):
    return requests_again(heads_of(home, *viewers), home.users, home.world.clock.now_ms())


def rehearsed(home, requests):
    return rehearse(home.state.pipeline, requests, view_of(home.world.items), home.world.clock)


def test_a_feed_is_asked_for_again_as_it_was_with_the_row_of_now(home):
    (request,) = again(home, "fan0")
    row, _ = home.world.users.read(PSEUDONYMS.user("fan0"))
    assert request.query.user.tobytes() == row
    assert (request.size, request.surface) == (7, 1)
    assert request.at_ms == home.world.clock.now_ms()


def test_feeds_are_made_and_leave_nothing_behind(home):
    requests = again(home, "fan0", "fan1", "a stranger")
    before = len(home.kept.records)
    asked = home.state.pipeline.model.asked
    asked.clear()
    found = rehearsed(home, requests)
    assert (found.made, found.trouble) == (3, None)
    assert len(asked) == 3
    assert len(home.kept.records) == before


def test_nothing_recorded_is_nothing_rehearsed(home):
    assert again(home) == []
    found = rehearsed(home, [])
    assert (found.made, found.trouble) == (0, None)


def test_without_the_user_store_nothing_is_asked(home):
    heads = heads_of(home, "fan0")
    home.users.close()
    assert requests_again(heads, home.users, home.world.clock.now_ms()) == []


def test_a_rehearsal_ends_when_its_time_is_over(home):
    requests = again(home, *(f"fan{n}" for n in range(6)))
    clock = home.world.clock
    clock.seconds = 0.0

    def takes_long():
        clock.seconds += BUDGET_S

    home.state.pipeline.model.while_scoring = takes_long
    assert rehearsed(home, requests).made == 2


def test_what_a_model_cannot_do_is_told(home):
    requests = again(home, "fan0", "fan1")

    def fails(features):
        raise DependencyUnavailable("the light scorer is broken")

    home.state.pipeline.model.approximate = fails
    found = rehearsed(home, requests)
    assert found.made == 0
    assert found.trouble is not None
    assert found.trouble.message == "the light scorer is broken"
