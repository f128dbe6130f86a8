"""Retrieval of what nobody had met: nothing of it teaches, and content finds it all the same."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_worlds import SETTINGS, exposed_world

from playbill.core import InvalidInput
from playbill.features import ITEM_RECORD, NO_TOPIC, VISIBLE
from playbill.training import Dataset, build_dataset, evaluate_cold_start, tower_training
from playbill.training.cold_start import (
    FLOOR,
    HISTORY_SIZES,
    OURS,
    judge,
)
from playbill.training.held_out import HeldOut, after_some, kindred_takes, last_new
from playbill.training.sequences import Sequences

VIDEOS, TOPICS = 200, 10


def catalogue(size: int = VIDEOS, topics: int = TOPICS) -> np.ndarray:
    items = np.zeros(size, ITEM_RECORD)
    items["key"] = np.arange(1, size + 1)
    items["topics"] = NO_TOPIC
    items["topics"][:, 0] = np.arange(size) % topics
    items["flags"] = VISIBLE
    return items


def of_one_topic_each(viewers: int, size: int, seed: int = 0) -> Sequences:
    """Return viewers who only take videos of one topic each."""
    random = np.random.default_rng(seed)
    likes = random.integers(0, TOPICS, viewers)
    each = [random.permutation(VIDEOS // TOPICS)[:size] * TOPICS + topic for topic in likes]
    numbers = np.repeat(np.arange(viewers), size)
    kinds = np.ones(len(numbers), np.int64)
    return Sequences(np.concatenate(each).astype(np.int64), numbers, kinds)


@settings(deadline=None, max_examples=30)
@given(
    viewers=st.integers(11, 60),
    sizes=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_nothing_held_out_teaches(viewers, sizes, seed):
    told = of_one_topic_each(viewers, sizes, seed)
    held = HeldOut.draw(told, VIDEOS, seed)
    train, others, newcomers = held.parts(told)
    assert not held.videos[train.items].any()
    assert not np.isin(train.viewers, held.viewers).any()
    assert not np.isin(others.viewers, held.viewers).any()
    assert np.isin(newcomers.viewers, held.viewers).all()
    assert not held.videos[newcomers.items].any()
    lost = np.isin(told.viewers, held.viewers) & held.videos[told.items]
    cold = held.videos[others.items].sum()
    assert len(train) + cold + len(newcomers) + lost.sum() == len(told)
    assert held.videos.sum() == round(0.1 * len(np.unique(told.items)))
    assert len(held.viewers) == round(0.1 * viewers)


def test_content_finds_new_videos_and_one_video_tells_a_new_viewer_s_topic(quickly):
    report = judge(of_one_topic_each(300, 12), catalogue(), quickly, seeds=2)
    videos, viewers = report["videos"], report["viewers"]
    assert (videos["held"], videos["of"]) == (20, VIDEOS)
    assert videos["sources"][OURS]["hit_rate"] > 0.9
    assert videos["above_popularity"]["ndcg"]["interval"][0] > 0.1
    assert viewers["1"]["sources"][OURS]["hit_rate"] > 0.3
    assert viewers["1"]["above_popularity"]["hit_rate"]["interval"][0] > 0.2
    assert set(viewers) <= {str(size) for size in HISTORY_SIZES}


def test_where_content_says_nothing_new_videos_are_found_by_chance_alone(quickly, monkeypatch):
    """A held-out video that leaked into the training would be found."""
    items = catalogue()
    items["topics"] = NO_TOPIC
    monkeypatch.setattr(tower_training, "FEWEST_STEPS", 100)
    report = judge(of_one_topic_each(200, 12), items, quickly)
    assert report["videos"]["sources"][OURS]["hit_rate"] < 0.6


def test_where_titles_alone_tell_new_videos_are_found_by_their_words(quickly, monkeypatch):
    items = catalogue()
    items["words"][:, 1] = 100 + items["topics"][:, 0]
    items["words"][:, 0] = 1_000 + np.arange(VIDEOS)
    items["topics"] = NO_TOPIC
    monkeypatch.setattr(tower_training, "FEWEST_STEPS", 150)
    report = judge(of_one_topic_each(300, 12), items, quickly)
    assert report["videos"]["sources"][OURS]["hit_rate"] > 0.9


def test_a_built_data_set_is_judged_whole(dataset, quickly, monkeypatch):
    monkeypatch.setattr(tower_training, "FEWEST_STEPS", 20)
    report = evaluate_cold_start(dataset, quickly)
    assert set(report["videos"]["sources"]) == {OURS, FLOOR, "hindsight"}
    assert report["viewers"] == {}, "four new viewers are too few to say anything"
    assert report == evaluate_cold_start(dataset, quickly)


def test_viewers_who_lived_through_the_fold_are_placed_by_their_first_videos(tmp_path, quickly):
    build_dataset(exposed_world(days=4, users=140, p_taken=(0.75, -0.15)).log, SETTINGS, tmp_path)
    report = evaluate_cold_start(Dataset.open(tmp_path), quickly, seeds=2)
    assert set(report["viewers"]["1"]["sources"]) == {OURS, FLOOR, "counts"}
    assert report["videos"]["above_popularity"]["ndcg"]["interval"][0] > 0.0


def test_what_was_taken_before_the_last_new_video_is_known_and_no_more():
    new = np.array([False, False, True, True, False])
    items = np.tile([0, 2, 1, 3, 4], 10)
    told = Sequences(items, np.repeat(np.arange(10), 5), np.ones(50, np.int64))
    last = last_new(told, new)
    assert last.targets.tolist() == [3] * 10
    assert last.known.items.reshape(10, 2).tolist() == [[0, 1]] * 10


def test_a_viewer_who_took_no_more_has_no_next_video():
    told = Sequences(np.array([0, 1, 2, 0, 1]), np.array([4, 4, 4, 9, 9]), np.ones(5, np.int64))
    among = np.array([True, True, True])
    asked = after_some(told, 2, among)
    assert asked.targets.tolist() == [2]
    assert asked.known.items.tolist() == [0, 1]
    assert len(after_some(told, 1, np.array([True, False, True])).targets) == 0


def test_a_new_video_is_as_popular_as_its_kind():
    items = catalogue(6, 2)
    items["author"] = [0, 1, 0, 1, 0, 1]
    takes = np.array([90, 10, 90, 10, 0, 0])
    found = kindred_takes(items, takes, np.array([True] * 4 + [False] * 2))
    assert found[4] > 5 * found[5]


def test_too_few_viewers_are_refused(quickly):
    once = msgspec.structs.replace(quickly.training, tower_epochs=1)
    with pytest.raises(InvalidInput, match="viewers took a held-out video after another"):
        judge(
            of_one_topic_each(12, 2), catalogue(), msgspec.structs.replace(quickly, training=once)
        )
