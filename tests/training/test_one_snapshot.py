from dataclasses import replace

import numpy as np

from playbill.features import FEATURE_NAMES
from playbill.training.metrics import group_aucs
from playbill.training.one_snapshot import VIEWER_COLUMNS, first_of_group, with_one_snapshot


def test_viewer_only_columns_are_those_that_no_candidate_changes():
    names = {FEATURE_NAMES[column] for column in VIEWER_COLUMNS}
    assert {"user_click_rate_14d", "user_tenure", "hour_sin", "recent_long"} <= names
    assert not names & {"user_topic_click_rate", "item_age", "in_history", "recent_same_topic"}


def test_the_first_row_of_a_group_is_the_earliest_not_the_one_above():
    groups, at_ms = np.array([1, 2, 1, 2]), np.array([5, 1, 3, 2])
    assert first_of_group(groups, at_ms).tolist() == [2, 1, 2, 1]


def test_candidates_keep_their_own_columns_and_share_the_viewers(rows):
    random = np.random.default_rng(0)
    dense = random.random((6, len(FEATURE_NAMES))).astype(np.float32)
    six = replace(rows.only(np.arange(6)), dense=dense, at_ms=np.arange(6), snapshots=np.arange(6))
    once = with_one_snapshot(six, np.array([0, 0, 0, 1, 1, 1]))
    frozen = once.dense
    assert once.snapshots.tolist() == [0, 0, 0, 3, 3, 3]
    others = np.setdiff1d(np.arange(dense.shape[1]), VIEWER_COLUMNS)
    assert (frozen[:, others] == dense[:, others]).all()
    assert (frozen[:3, VIEWER_COLUMNS] == dense[0, VIEWER_COLUMNS]).all()
    assert (frozen[3:, VIEWER_COLUMNS] == dense[3, VIEWER_COLUMNS]).all()


def test_a_viewers_own_rate_orders_nothing_once_it_is_read_once_a_day(dataset):
    """Read as it moves, it orders the day backwards: every click raises what comes after it."""
    rows = dataset.rows()
    days = rows.at_ms // 86_400_000
    groups = rows.users * 100_000 + days
    column = FEATURE_NAMES.index("user_click_rate_14d")
    click = rows.labels[:, 0]
    moving = group_aucs(click, rows.dense[:, column], groups)
    frozen = with_one_snapshot(rows, groups)
    once = group_aucs(click, frozen.dense[:, column], groups)
    assert moving.mean() < 0.4
    assert (once.aucs == 0.5).all()
