import numpy as np
import pytest

from playbill.features import empty_user
from playbill.features.layout import CLICKED, DISLIKED, ENGAGED, HISTORY, LIKED, LONG, WATCHED
from playbill.models import WIDTH, history_inputs, in_order, kinds_of


def with_history(*entries):
    user = empty_user()
    user["history_count"] = len(entries)
    for place, (row, action) in enumerate(entries):
        user["history"][0, place] = row
        user["history_action"][0, place] = action
    return user


def lookup(rows):
    vectors = np.zeros((len(rows), WIDTH), np.float32)
    known = rows < 100
    vectors[known] = (rows[known, None] + 1).astype(np.float32)
    return vectors


def test_kinds_tell_clicks_long_views_and_likes_apart():
    bits = [0, CLICKED, LONG, CLICKED | LONG, LIKED, CLICKED | LONG | LIKED]
    assert kinds_of(np.array(bits, np.uint8)).tolist() == [0, 1, 2, 3, 4, 7]
    others = np.array([WATCHED | ENGAGED, WATCHED | CLICKED], np.uint8)
    assert kinds_of(others).tolist() == [0, 1]


def test_inputs_follow_the_viewers_row_oldest_first():
    vectors, kinds = history_inputs(with_history((4, CLICKED), (9, LONG)), lookup)
    assert vectors.dtype == np.float32
    assert vectors[:, 0].tolist() == [10.0, 5.0]
    assert kinds.tolist() == [2, 1]


@pytest.mark.parametrize("action", [0, WATCHED, ENGAGED, DISLIKED, DISLIKED | LIKED | LONG])
def test_what_the_viewer_did_not_take_to_is_left_out(action):
    vectors, kinds = history_inputs(with_history((7, action), (3, LIKED)), lookup)
    assert vectors[:, 0].tolist() == [4.0]
    assert kinds.tolist() == [4]


def test_a_video_without_a_vector_is_left_out():
    vectors, kinds = history_inputs(with_history((200, LIKED), (3, CLICKED)), lookup)
    assert vectors[:, 0].tolist() == [4.0]
    assert kinds.tolist() == [1]


@pytest.mark.parametrize("entries", [(), [(5, WATCHED)]])
def test_nothing_taken_asks_for_nothing(entries):
    def refuse(rows):
        raise AssertionError("nothing is to be looked up")

    vectors, kinds = history_inputs(with_history(*entries), refuse)
    assert vectors.shape == (0, WIDTH)
    assert kinds.shape == (0,)


def test_many_histories_come_out_as_each_does_alone():
    random = np.random.default_rng(3)
    items = random.integers(0, 90, (20, HISTORY)).astype(np.uint32)
    actions = random.integers(0, 64, (20, HISTORY)).astype(np.uint8)
    rows, kinds, counts = in_order(items, actions)
    for viewer in range(20):
        user = with_history(*zip(items[viewer], actions[viewer], strict=True))
        vectors, own = history_inputs(user, lookup)
        assert kinds[viewer, : counts[viewer]].tolist() == own.tolist()
        assert (rows[viewer, : counts[viewer]] + 1).tolist() == vectors[:, 0].tolist()
        assert not rows[viewer, counts[viewer] :].any()
