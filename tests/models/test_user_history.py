import numpy as np
import pytest

from playbill.features import empty_user
from playbill.features.layout import CLICKED, DISLIKED, ENGAGED, HISTORY, LIKED, LONG, WATCHED
from playbill.models import WIDTH, history_inputs, history_weights


def actions(*bits):
    row = np.zeros((1, HISTORY), np.uint8)
    row[0, : len(bits)] = bits
    return row


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


def test_more_telling_deeds_weigh_more():
    weights = history_weights(actions(WATCHED, CLICKED, CLICKED | LONG, CLICKED | LONG | LIKED))[0]
    undecayed = weights[:4] / 0.95 ** np.arange(4)
    assert undecayed.tolist() == sorted(undecayed.tolist())
    assert len(set(undecayed.tolist())) == 4
    assert (weights[4:] == 0).all()


def test_what_was_rejected_weighs_nothing_whatever_else_was_done():
    assert (history_weights(actions(DISLIKED, DISLIKED | LIKED | LONG | ENGAGED))[0] == 0).all()


def test_the_newer_of_two_weighs_more():
    weights = history_weights(actions(CLICKED, CLICKED))[0]
    assert weights[1] == pytest.approx(0.95 * weights[0])


def test_inputs_follow_the_viewers_row():
    vectors, weights = history_inputs(with_history((4, CLICKED), (9, LONG)), lookup)
    assert vectors.shape == (1, HISTORY, WIDTH)
    assert weights.shape == (1, HISTORY)
    assert vectors.dtype == weights.dtype == np.float32
    assert vectors[0, :2, 0].tolist() == [5.0, 10.0]
    assert weights[0, :2].tolist() == history_weights(actions(CLICKED, LONG))[0, :2].tolist()
    assert (weights[0, 2:] == 0).all()


def test_a_video_without_a_vector_weighs_nothing():
    _, weights = history_inputs(with_history((200, LIKED), (3, LIKED)), lookup)
    assert weights[0, 0] == 0
    assert weights[0, 1] > 0


def test_an_empty_history_asks_for_nothing():
    def refuse(rows):
        raise AssertionError("nothing is to be looked up")

    vectors, weights = history_inputs(empty_user(), refuse)
    assert not vectors.any()
    assert not weights.any()
