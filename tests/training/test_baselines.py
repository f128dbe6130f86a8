"""What a ranker must beat is taught on the same rows, and stands beside it."""

import msgspec
import numpy as np
import pytest

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training import RowScorer
from playbill.training.baselines import TREES, fit_baselines
from playbill.training.bootstrap import Resamples
from playbill.training.figures import Figures, base_entropy
from playbill.training.measuring import measure, score_rows
from playbill.training.metrics import auc
from playbill.training.ranker_training import train_ranker
from playbill.training.slices import measure_slices

pytest.importorskip("lightgbm")


@pytest.fixture(scope="module")
def baselines(rows, split, quickly):
    return fit_baselines(rows, split, quickly, shapes=TREES[:2])


@pytest.fixture(scope="module")
def report(rows, histories, split, quickly, baselines):
    trained = train_ranker(rows, split, quickly, None)
    ranker = RowScorer.of(trained.graph, None, histories, 1)
    later = rows.only(split.report(rows.at_ms))
    return measure(score_rows(ranker, later, 0, baselines), 1, 50, surfaces=quickly.surfaces)


def test_each_baseline_is_there_for_each_task(report):
    assert set(report["baselines"]) == {"popularity", "item_rate", "logistic", "lightgbm"}
    for name in report["baselines"]:
        assert set(report["baselines"][name]) == set(report["gains"][name]) == set(TASKS)
    assert "calibration" not in report["baselines"]["popularity"]["click"]


def test_trees_and_the_logistic_regression_learn_what_popularity_cannot(report):
    aucs = {name: tasks["click"]["auc"] for name, tasks in report["baselines"].items()}
    assert min(aucs["lightgbm"], aucs["logistic"]) > aucs["popularity"] + 0.05
    assert report["baselines"]["lightgbm"]["click"]["calibration"] == pytest.approx(1.0, abs=0.3)


def test_a_gain_is_the_difference_of_the_two_figures(report):
    for name, tasks in report["gains"].items():
        ours, theirs = report["metrics"]["click"], report["baselines"][name]["click"]
        for figure in ("auc", "gauc", "gauc_one_snapshot"):
            gain = tasks["click"][figure]
            assert gain == pytest.approx(ours[figure] - theirs[figure], abs=2e-6)
            low, high = tasks["click"][f"{figure}_interval"]
            assert low <= gain <= high


def test_a_ranker_gains_nothing_over_itself_in_any_draw(rows, split):
    later = rows.only(split.report(rows.at_ms))
    draws = Resamples.draw(later.users, 30, seed=3)
    figures = Figures(later.users, later.snapshots, draws)
    score = later.dense[:, FEATURE_NAMES.index("item_click_rate_14d")]
    gains = figures.gains(later.labels[:, 0], (score, score), (score, score))
    assert gains["auc"] == 0.0
    assert gains["auc_interval"] == [0.0, 0.0]


def test_pairing_narrows_the_interval_of_a_difference():
    random = np.random.default_rng(0)
    users = np.repeat(np.arange(200), 10)
    taste = np.repeat(random.normal(size=200), 10) + random.normal(size=2_000)
    labels = taste + random.normal(size=2_000) > 0
    ours, theirs = taste, taste + 0.3 * random.normal(size=2_000)
    draws = Resamples.draw(users, 200, seed=1)
    figures = Figures(users, users, draws)
    low, high = figures.gains(labels, (ours, ours), (theirs, theirs))["auc_interval"]
    alone = figures.of(labels, 1 / (1 + np.exp(-ours)), ours)["auc_interval"]
    assert 0.0 < low < high
    assert high - low < 0.5 * (alone[1] - alone[0])


def test_rows_that_report_do_not_teach_the_baselines(rows, split, quickly, baselines):
    """Their labels and features are spoiled, and nothing changes."""
    later = split.report(rows.at_ms)
    parts = {
        "labels": rows.labels ^ later[:, None],
        "dense": np.where(later[:, None], np.float32(7.0), rows.dense),
    }
    blind = type(rows)(*(parts.get(name, getattr(rows, name)) for name in rows.__slots__))
    again = fit_baselines(blind, split, quickly, shapes=TREES[:2])
    for name, score in baselines.items():
        assert np.array_equal(again[name](rows), score(rows))


def test_a_task_of_one_class_is_scored_with_its_rate(rows, split, quickly):
    labels = rows.labels.copy()
    labels[:, 3] = False
    parts = {"labels": labels}
    plain = type(rows)(*(parts.get(name, getattr(rows, name)) for name in rows.__slots__))
    score = fit_baselines(plain, split, quickly, shapes=TREES[:1])["lightgbm"]
    p = score(rows.only(np.arange(5)))
    assert p[:, 3] == pytest.approx(1.0 / (split.train(rows.at_ms).sum() + 2.0))


def test_slices_cover_the_rows_that_are_enough_and_tell_worse_ones(rows):
    p = np.tile(rows.dense[:, [FEATURE_NAMES.index("item_click_rate_14d")]], (1, 4))
    slices = measure_slices(rows, p, ("home", "related"))
    assert slices["surface"]["home"]["rows"] == len(rows)
    assert sum(found["rows"] for found in slices["region"].values()) == len(rows)
    for found in slices["region"].values():
        assert found["click"]["calibration"] > 0
    (home,) = slices["surface"].values()
    known = rows.only(rows.known[:, 0])
    assert home["click"]["auc"] == pytest.approx(
        auc(known.labels[:, 0], p[rows.known[:, 0], 0]), abs=1e-6
    )
    small = measure_slices(rows.only(np.arange(100)), p[:100])
    assert small == {"surface": {}, "region": {}, "viewer": {}, "video_age": {}}


def test_a_constant_that_says_the_rate_has_a_normalised_entropy_of_one():
    labels = np.arange(400) % 4 == 0
    users = np.arange(400) // 10
    figures = Figures(users, users, Resamples.draw(users, 20, seed=1))
    found = figures.of(labels, np.full(400, 0.25), np.full(400, 0.25))
    assert found["normalised_entropy"] == pytest.approx(1.0)
    assert base_entropy(0.25) == pytest.approx(0.5623351)
    assert found["auc"] == 0.5


def test_a_report_is_json(report):
    assert msgspec.json.decode(msgspec.json.encode(report)) == report
