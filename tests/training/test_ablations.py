"""What a ranker does without does not reach it, and everything else does."""

from dataclasses import replace

import numpy as np
import pytest

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training import RowScorer, ranker_training
from playbill.training.ablations import ABLATIONS, WITHOUT_HISTORY, fit_ablations
from playbill.training.ranker_rows import Ablation
from playbill.training.ranker_training import train_ranker


@pytest.fixture(scope="module")
def rankers(rows, histories, split, quickly):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranker_training, "FEWEST_STEPS", 100)
        return fit_ablations(rows, split, quickly, histories)


def spoiled(rows, names):
    """Return the rows with columns that say something else."""
    dense = rows.dense.copy()
    for name in names:
        column = FEATURE_NAMES.index(name)
        dense[:, column] = dense[::-1, column] * 3.0 + 1.0
    return replace(rows, dense=dense)


def test_there_is_one_for_history_ids_calibration_and_each_crossing(rankers):
    assert set(rankers) == {WITHOUT_HISTORY, *ABLATIONS}
    assert {"without ids", "without calibration", "without viewer x author"} <= set(rankers)
    assert "user_topic_click_rate" in ABLATIONS["without viewer x topic"].columns
    assert "recent_same_author" in ABLATIONS["without viewer x author"].columns


@pytest.mark.parametrize("name", ["without viewer x topic", "without viewer x author"])
def test_columns_that_it_does_without_say_nothing_to_it(rows, rankers, name):
    columns = ABLATIONS[name].columns
    before = rankers[name](rows)
    assert np.array_equal(rankers[name](spoiled(rows, columns)), before)
    assert not np.array_equal(rankers[name](spoiled(rows, ["item_click_rate_14d"])), before)


def test_without_history_the_last_videos_say_nothing(rows, histories, rankers):
    ranker = rankers[WITHOUT_HISTORY]
    other = replace(ranker, histories=type(histories)(histories.items[::-1], histories.actions))
    assert np.array_equal(other(rows), ranker(rows))
    assert np.array_equal(ranker(spoiled(rows, ["recent_long", "in_history"])), ranker(rows))


def test_without_ids_only_what_viewers_did_counts(rows, histories, rankers):
    ranker = rankers["without ids"]
    assert not ranker.interests.codes.any()
    assert np.array_equal(ranker(replace(rows, items=rows.items[::-1])), ranker(rows))
    idle = type(histories)(histories.items, np.zeros_like(histories.actions))
    assert not np.array_equal(replace(ranker, histories=idle)(rows), ranker(rows))


def test_without_the_crossing_a_candidate_s_place_says_nothing(rows, rankers):
    ranker = rankers["without crossed interests"]
    assert ranker.interests.codes.any()
    assert np.array_equal(ranker(replace(rows, items=rows.items[::-1])), ranker(rows))


def test_without_calibration_only_the_last_line_is_another(
    rows, histories, split, quickly, monkeypatch
):
    monkeypatch.setattr(ranker_training, "FEWEST_STEPS", 100)

    def taught(**changes):
        return train_ranker(rows, split, quickly, histories, **changes)

    plain, raw = taught(), taught(without=Ablation(calibration=True))
    assert raw.record["calibration"]["click"] == {"scale": 1.0, "shift": 0.0}
    assert plain.record["calibration"]["click"]["scale"] != 1.0
    p, q = (RowScorer.of(each.graph, each.interests, histories, 1)(rows) for each in (plain, raw))
    for k in range(len(TASKS)):
        assert np.corrcoef(np.argsort(p[:, k]), np.argsort(q[:, k]))[0, 1] > 0.99
