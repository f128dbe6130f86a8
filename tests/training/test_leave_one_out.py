"""Retrieval on each viewer's last video: figures that a plain reading gives, in worlds we know."""

import msgspec
import numpy as np
import pytest

from playbill.core import InvalidInput
from playbill.features import ITEM_RECORD, NO_TOPIC, VISIBLE
from playbill.training import evaluate_leave_one_out
from playbill.training.last_videos import above
from playbill.training.leave_one_out import _figures, judge
from playbill.training.sequences import Sequences

VIDEOS = 60


def catalogue(size: int = VIDEOS) -> np.ndarray:
    items = np.zeros(size, ITEM_RECORD)
    items["key"] = np.arange(1, size + 1)
    items["topics"] = NO_TOPIC
    items["flags"] = VISIBLE
    return items


def chains(viewers: int, size: int, seed: int = 0) -> Sequences:
    """Return viewers who take one video after the other, from where each begins."""
    begins = np.random.default_rng(seed).integers(0, VIDEOS, viewers)
    items = (begins[:, None] + np.arange(size)[None, :]) % VIDEOS
    numbers = np.repeat(np.arange(viewers), size)
    return Sequences(items.ravel().astype(np.int64), numbers, np.ones(len(numbers), np.int64))


def test_what_follows_what_is_found_and_popularity_is_no_help(quickly):
    report = judge(chains(120, 8), catalogue(), quickly, quotas=(30, 20))
    sources = report["sources"]
    assert report["viewers"] == 120
    assert report["videos"] == VIDEOS
    assert sources["counts"]["hit_rate"] > 0.95
    assert sources["towers"]["hit_rate"] > 0.8
    assert sources["blend"]["ndcg"] >= sources["towers"]["ndcg"] - 0.05
    assert sources["popularity"]["hit_rate"] < 0.4
    assert sources["indexed"]["hit_rate"] >= sources["blend"]["hit_rate"] - 0.02
    assert report["runs"][0]["towers"]["positives"] == 120 * 6


def test_the_last_two_videos_teach_nothing(quickly):
    """A video that is only ever taken last can be found by chance alone."""
    told = chains(60, 6)
    last = told.starts()[1:] - 1
    told.items[last] = VIDEOS + np.arange(60)
    report = judge(told, catalogue(VIDEOS + 60), quickly)
    assert report["sources"]["counts"]["hit_rate"] == 0.0
    assert report["sources"]["popularity"]["hit_rate"] == 0.0


def test_a_built_data_set_is_judged_whole(dataset, quickly):
    once = msgspec.structs.replace(quickly.training, tower_epochs=1)
    settings = msgspec.structs.replace(quickly, training=once)
    report = evaluate_leave_one_out(dataset, settings, seeds=2)
    assert report["sources"]["counts"]["hit_rate_spread"] == 0.0
    assert len(report["runs"]) == 2
    assert set(report["sources"]) == {
        "popularity", "item_knn", "counts", "towers", "blend", "indexed",
    }  # fmt: skip
    assert all(0.0 <= found["ndcg"] <= 1.0 for found in report["sources"].values())


def test_too_few_viewers_are_refused(quickly):
    with pytest.raises(InvalidInput, match="9 viewers took three videos or more"):
        judge(chains(9, 5), catalogue(), quickly)


def test_ties_stand_above_and_what_was_taken_does_not_count():
    scores = np.array([[3.0, 2.0, 2.0, 1.0], [0.0, 1.0, 2.0, 3.0]], np.float32)
    barred = np.array([[True, False, False, False], [False, False, False, True]])
    assert above(scores, barred, np.array([1, 0])).tolist() == [1, 2]
    assert above(scores, barred, np.array([0, 3])).tolist() == [4, 4]


def test_figures_are_hits_and_discounted_gains_at_ten():
    found = _figures(np.array([0, 1, 9, 10]))
    assert found["hit_rate"] == 0.75
    gains = [1.0, 1 / np.log2(3), 1 / np.log2(11), 0.0]
    assert found["ndcg"] == round(float(np.mean(gains)), 4)
    assert found["hit_rate_error"] == pytest.approx(np.sqrt(0.75 * 0.25 / 4), abs=1e-4)
