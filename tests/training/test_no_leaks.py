"""Nothing that came later reaches a row, be it in a list, in an order or in a feature."""

import numpy as np
import pytest
from test_dataset_rows import served_world
from training_worlds import SETTINGS

from playbill.features import FEATURE_NAMES
from playbill.training import Dataset, build_dataset
from playbill.training.leaks import leak_suspects
from playbill.training.metrics import group_aucs
from playbill.training.one_snapshot import VIEWER_COLUMNS
from playbill.training.sequences import Sequences
from playbill.training.transitions import count_transitions

VIEWERS, VIDEOS, LENGTH = 200, 50, 12


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    build_dataset(served_world()[0].log, SETTINGS, folder)
    return Dataset.open(folder).rows()


def test_a_feature_of_the_viewer_alone_orders_nothing_within_a_list(rows):
    """A request reads the viewer once; counters that moved in a list would tell clicks apart."""
    click = rows.labels[:, 0]
    lists = group_aucs(click, np.zeros(len(click)), rows.snapshots)
    assert len(lists.aucs) == 30
    for column in VIEWER_COLUMNS:
        found = group_aucs(click, rows.dense[:, column], rows.snapshots)
        assert (found.aucs == 0.5).all(), FEATURE_NAMES[column]


def test_a_counter_that_moves_within_a_list_would_be_seen(rows):
    """The same column, read after each outcome in place of once a request."""
    click = rows.labels[:, 0]
    column = rows.dense[:, FEATURE_NAMES.index("user_click_rate_1d")].astype(np.float64)
    leaking = column + 0.1 * click
    assert group_aucs(click, leaking, rows.snapshots).mean() == 1.0


def chain(shuffled):
    """Return viewers who take video after video by number, or the same videos in any order."""
    random = np.random.default_rng(0)
    starts = random.integers(0, VIDEOS, VIEWERS)
    items = (starts[:, None] + np.arange(LENGTH)) % VIDEOS
    if shuffled:
        items = random.permuted(items, axis=1)
    viewers = np.repeat(np.arange(VIEWERS), LENGTH)
    return Sequences(items.ravel(), viewers, np.zeros(items.size, np.int64))


def foretold(sequences):
    """Return for how many videos the strongest follower is the next one by number."""
    found = count_transitions(sequences, VIDEOS)
    first = found.followers[found.starts[:-1]]
    return float((first == (np.arange(VIDEOS) + 1) % VIDEOS).mean())


def test_what_follows_what_is_lost_when_time_is_shuffled_within_viewers():
    assert foretold(chain(shuffled=False)) > 0.95
    assert foretold(chain(shuffled=True)) < 0.3


@pytest.mark.parametrize("later", ["label", "rate"])
def test_a_planted_feature_that_sees_the_future_is_caught(dataset, later):
    """The label itself with noise, or the click rate of the viewer's and video's own future row."""
    rows = dataset.rows()
    dense = rows.dense.copy()
    planted = FEATURE_NAMES.index("user_topic_click_rate")
    random = np.random.default_rng(1)
    noise = 0.25 if later == "label" else 0.05
    future = rows.labels[:, 0] + random.normal(0.0, noise, len(rows))
    dense[:, planted] = future if later == "label" else np.clip(future, 0.0, 1.0)
    assert [each["feature"] for each in leak_suspects(dense, rows.labels)] == [
        "user_topic_click_rate"
    ]
    assert leak_suspects(rows.dense, rows.labels) == []
