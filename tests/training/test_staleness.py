"""Old rankers beside fresh ones: what is lost is told, and where nothing changed nothing is."""

import numpy as np
import pytest
from training_worlds import SETTINGS, exposed_world

from playbill.core import InvalidInput
from playbill.training import Dataset, build_dataset, evaluate_staleness, ranker_training
from playbill.training import staleness as module


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(ranker_training, "FEWEST_STEPS", 200)


def test_each_age_is_told_on_the_days_that_have_rankers_so_old(dataset, quickly):
    report = evaluate_staleness(dataset, quickly, days=3, resamples=20)
    assert [part["age_days"] for part in report["curve"]] == [1, 2]
    two, one = report["curve"][1], report["curve"][0]
    assert one["rows"] > two["rows"] > 0
    click = one["tasks"]["click"]
    assert click["above_fresh"]["auc"] == pytest.approx(
        click["auc"] - click["fresh"]["auc"], abs=2e-6
    )
    low, high = click["above_fresh"]["auc_interval"]
    assert low <= click["above_fresh"]["auc"] <= high


def test_a_world_that_turns_over_costs_an_old_ranker(tmp_path, quickly, monkeypatch):
    """From the last day on, each label is its opposite for the one trained that day alone."""
    build_dataset(exposed_world().log, SETTINGS, tmp_path)
    train = module.train_ranker
    seen = []

    def contrary(rows, split, *more, **named):
        seen.append(split)
        labels = rows.labels if len(seen) > 1 else ~rows.labels
        told = type(rows)(
            *(labels if name == "labels" else getattr(rows, name) for name in rows.__slots__)
        )
        return train(told, split, *more, **named)

    monkeypatch.setattr(module, "train_ranker", contrary)
    report = evaluate_staleness(Dataset.open(tmp_path), quickly, days=2, resamples=20)
    (old,) = report["curve"]
    assert old["tasks"]["click"]["above_fresh"]["auc"] < -0.2
    assert np.sign(old["tasks"]["click"]["above_fresh"]["auc_interval"]).tolist() == [-1, -1]


def test_too_few_days_are_refused(dataset, quickly):
    with pytest.raises(InvalidInput, match="rolling over 9 needs 11"):
        evaluate_staleness(dataset, quickly, days=9)
