import hashlib
import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from playbill.core import InvalidInput
from playbill.features import FEATURE_NAMES
from playbill.models import TASKS, Ranker
from playbill.training import RowScorer, ranker_rows, ranker_training
from playbill.training.leaks import leak_suspects
from playbill.training.measuring import measure, score_rows
from playbill.training.ranker_rows import Ablation, RankerRows, moments
from playbill.training.ranker_training import schedule, taught_tasks, train_ranker


@pytest.fixture(scope="module")
def trained(rows, histories, split, quickly):
    return train_ranker(rows, split, quickly, histories)


def scorer_of(trained, histories):
    return RowScorer.of(trained.graph, trained.interests, histories, 1)


def recent(rows, histories):
    return histories.items[rows.snapshots], histories.actions[rows.snapshots]


def relabelled(rows, task, labels):
    changed = rows.labels.copy()
    changed[:, TASKS.index(task)] = labels
    return type(rows)(
        *(changed if name == "labels" else getattr(rows, name).copy() for name in rows.__slots__)
    )


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    rows, histories, split, quickly, trained
):
    again = train_ranker(rows, split, quickly, histories)
    assert hashlib.sha256(again.graph).digest() == hashlib.sha256(trained.graph).digest()
    training = msgspec.structs.replace(quickly.training, seed=8)
    other = train_ranker(
        rows, split, msgspec.structs.replace(quickly, training=training), histories
    )
    assert other.graph != trained.graph


def test_what_reports_is_not_looked_at(rows, histories, split, quickly, trained):
    report = split.report(rows.at_ms)
    labels = rows.labels ^ report[:, None]
    dense = np.where(report[:, None], np.float32(7.0), rows.dense)
    parts = {"labels": labels, "dense": dense}
    blind = type(rows)(*(parts.get(name, getattr(rows, name)) for name in rows.__slots__))
    assert train_ranker(blind, split, quickly, histories).graph == trained.graph


def test_training_leaves_torch_as_it_was(rows, histories, split, quickly):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(4)
    expected = torch.rand(2)
    torch.manual_seed(4)
    train_ranker(rows, split, quickly, histories)
    assert torch.equal(torch.rand(2), expected)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_it_learns_what_viewers_like_and_says_it_calibrated(rows, histories, split, trained):
    ranker = scorer_of(trained, histories)
    found = measure(score_rows(ranker, rows.only(split.report(rows.at_ms)), 0), seed=1)
    click = found["metrics"]["click"]
    assert click["auc"] > found["floor"]["click"]["auc"] + 0.05
    assert click["auc"] > 0.65
    assert click["calibration"] == pytest.approx(1.0, abs=0.25)
    assert click["auc_interval"][0] < click["auc"] < click["auc_interval"][1]
    assert "standard errors" in found["note"]


def test_on_the_rows_that_calibrate_promises_are_kept(rows, histories, split, trained):
    validate = rows.only(split.validate(rows.at_ms))
    p = scorer_of(trained, histories)(validate)
    promised, came = p[:, :2].sum(axis=0), validate.labels[:, :2].sum(axis=0)
    assert promised == pytest.approx(came, rel=0.05)


def test_what_a_surface_is_promised_there_comes_there(rows, histories, split, quickly):
    """Where nothing is clicked on the eve, less is promised than elsewhere."""
    elsewhere = np.arange(len(rows)) % 2 == 1
    barren = relabelled(rows, "click", rows.labels[:, 0] & ~(elsewhere & ~split.train(rows.at_ms)))
    barren.categories[:, 0] = 1 + elsewhere
    trained = train_ranker(barren, split, quickly, histories)
    shifts = [row["click"] for row in trained.record["surface_shifts"]]
    assert len(shifts) == 3
    assert shifts[0] == 0.0
    assert shifts[2] < -0.5 < shifts[1]
    eve = barren.only(split.validate(rows.at_ms))
    p, here = scorer_of(trained, histories)(eve)[:, 0], eve.categories[:, 0] == 2
    assert p[here].mean() < 0.7 * p[~here].mean()
    bare = train_ranker(barren, split, quickly, histories, without=Ablation(calibration=True))
    assert all(set(row.values()) == {0.0} for row in bare.record["surface_shifts"])


def test_what_is_exported_is_the_network(rows, histories, trained):
    some = rows.only(np.arange(300))
    some.dense[0, 0], some.dense[1, 1], some.dense[2, 2] = np.nan, np.inf, -np.inf
    some.categories[3:6] = [[-1, 99, 10**9], [5, 5, 5], [0, 0, 0]]
    p = scorer_of(trained, histories)(some)
    with torch.no_grad():
        logits = trained.network(*RankerRows(some, histories).of(np.arange(300)))
    assert np.abs(trained.interests.crossed(some.items, *recent(some, histories))).max() > 0.0
    assert p == pytest.approx(torch.sigmoid(logits).numpy(), abs=1e-6)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("size", [1, 7, 200])
def test_any_number_of_rows_scores_as_it_does_alone(rows, histories, trained, size):
    ranker = scorer_of(trained, histories)
    together, alone = ranker(rows.only(np.arange(size))), ranker(rows.only(np.arange(1)))
    assert together[0] == pytest.approx(alone[0], abs=1e-6)


def test_a_required_task_of_one_class_is_refused_before_training(rows, histories, split, quickly):
    told = []
    with pytest.raises(InvalidInput, match="are a click; a task needs rows"):
        train_ranker(
            relabelled(rows, "click", False),
            split,
            quickly,
            None,
            on_progress=lambda stage, share: told.append(stage),
        )
    assert told == []


def test_another_task_of_one_class_says_the_smoothed_rate_and_is_named(
    rows, histories, split, quickly
):
    trained = train_ranker(relabelled(rows, "negative", False), split, quickly, histories)
    assert trained.record["untaught"] == ["negative"]
    p = scorer_of(trained, histories)(rows)
    assert p[:, 3] == pytest.approx(1 / (trained.record["train_rows"] + 2), rel=1e-4)


def test_without_any_task_to_learn_there_is_no_ranker(rows):
    none = replace(rows, labels=np.zeros_like(rows.labels))
    with pytest.raises(InvalidInput, match="a task needs rows with and without"):
        taught_tasks(none, np.arange(10))


def test_a_task_of_which_nothing_is_known_yet_cannot_be_required(rows, split):
    train = np.flatnonzero(split.train(rows.at_ms))
    known = rows.known.copy()
    known[train, TASKS.index("click")] = False
    with pytest.raises(InvalidInput, match="0 of 0 training rows whose attribution window"):
        taught_tasks(replace(rows, known=known), train, ("click",))


def test_a_label_that_may_still_come_teaches_and_judges_nothing(rows, histories, split, quickly):
    """Turning round labels that are not known yet changes neither the ranker nor its figures."""
    random = np.random.default_rng(9)
    known = random.random(rows.known.shape) < [0.7, 0.9, 0.8, 1.0]
    some = replace(rows, known=known)
    other = replace(some, labels=np.where(known, rows.labels, ~rows.labels))
    rankers = [train_ranker(each, split, quickly, histories) for each in (some, other)]
    assert rankers[0].graph == rankers[1].graph
    assert rankers[0].record == rankers[1].record
    assert rankers[0].graph != train_ranker(rows, split, quickly, histories).graph
    reports = split.report(rows.at_ms)
    found = [
        measure(score_rows(scorer_of(ranker, histories), each.only(reports), 0), seed=1)
        for ranker, each in zip(rankers, (some, other), strict=True)
    ]
    assert found[0] == found[1]
    assert found[0]["metrics"]["click"]["rows"] == known[reports, 0].sum()
    assert found[0]["metrics"]["negative"]["rows"] == reports.sum()


def test_the_parts_are_of_rows_of_which_the_required_labels_are_known(rows):
    known = np.ones_like(rows.known)
    known[-300:, TASKS.index("click")] = False
    known[-600:, TASKS.index("like")] = False
    some = replace(rows, known=known)
    assert some.known_at_ms().tolist() == rows.at_ms[:-300].tolist()
    assert some.known_at_ms(("like",)).tolist() == rows.at_ms[:-600].tolist()


def test_a_task_that_nothing_validates_is_calibrated_on_the_newest_rows_that_train(
    rows, histories, split, quickly
):
    like, validate = TASKS.index("like"), split.validate(rows.at_ms)
    known = rows.known.copy()
    known[validate, like] = False
    some = replace(rows, known=known)
    trained = train_ranker(some, split, quickly, histories)
    assert trained.record["calibration"]["like"] != {"scale": 1.0, "shift": 0.0}
    train = np.flatnonzero(split.train(rows.at_ms) & known[:, like])[-int(validate.sum()) :]
    p = scorer_of(trained, histories)(some.only(train))[:, like]
    assert p.sum() / rows.labels[train, like].sum() == pytest.approx(1.0, abs=0.05)
    usual = train_ranker(rows, split, quickly, histories).record["calibration"]
    assert trained.record["calibration"]["click"].keys() == usual["click"].keys()


def test_where_nothing_is_known_there_are_no_figures(rows, histories, split, trained):
    known = np.ones_like(rows.known)
    known[:, TASKS.index("like")] = False
    some = replace(rows, known=known).only(split.report(rows.at_ms))
    scorer = scorer_of(trained, histories)
    found = measure(score_rows(scorer, some, 0, {"same": scorer}), seed=1)
    usual = found["metrics"]["click"]
    assert found["metrics"]["like"].keys() == usual.keys()
    told = {value for name, value in found["metrics"]["like"].items() if "rows" not in name}
    assert told == {None, 0}
    assert found["gains"]["same"]["like"].keys() == found["gains"]["same"]["click"].keys()
    assert found["gains"]["same"]["like"]["auc"] is None
    assert usual["auc"] is not None


def test_a_feature_that_knows_the_label_is_seen_as_a_leak(rows, split):
    train = split.train(rows.at_ms)
    dense, labels = rows.dense[train].copy(), rows.labels[train]
    assert leak_suspects(dense, labels) == []
    planted = FEATURE_NAMES.index("item_age")
    random = np.random.default_rng(0)
    dense[:, planted] = labels[:, 0] + random.normal(0, 0.2, len(dense))
    (suspect,) = leak_suspects(dense, labels)
    assert (suspect["feature"], suspect["task"]) == ("item_age", "click")
    assert suspect["auc"] > 0.99


def test_the_learning_rate_rises_stays_and_falls():
    factors = [schedule(done / 100) for done in range(101)]
    assert factors[0] < 0.1
    assert factors[10:50] == [1.0] * 40
    assert factors[50:] == sorted(factors[50:], reverse=True)
    assert min(factors[1:]) >= 0.01


def _losing(monkeypatch, losses):
    told = iter(losses)
    monkeypatch.setattr(
        ranker_training.Losses, "validated", lambda *_: next(told, math.nan), raising=True
    )


def test_a_pass_whose_loss_is_no_number_does_not_hide_those_behind_it(
    rows, histories, split, quickly, monkeypatch
):
    """The pass kept is the best of those that have a loss, and its weights are what is shipped."""
    _losing(monkeypatch, [math.nan, 1.0])
    second = train_ranker(rows, split, quickly, histories)
    assert second.record["best_pass"] == 2
    assert second.record["validation_losses"][:3] == [None, 1.0, None]
    _losing(monkeypatch, [math.inf, 1.0, 2.0, math.nan])
    assert train_ranker(rows, split, quickly, histories).graph == second.graph
    _losing(monkeypatch, [math.nan, 2.0, 1.0])
    assert train_ranker(rows, split, quickly, histories).graph != second.graph


def test_a_ranker_without_a_finite_loss_is_refused_with_what_to_lower(
    rows, histories, split, quickly, monkeypatch
):
    _losing(monkeypatch, [math.inf])
    with pytest.raises(InvalidInput, match=r"none of .* passes has a finite") as refusal:
        train_ranker(rows, split, quickly, histories)
    assert "lower training.learning_rate" in refusal.value.hint


def test_moments_are_those_of_the_chosen_rows():
    random = np.random.default_rng(0)
    dense = random.normal(3.0, 2.0, (40_000, 5)).astype(np.float32)
    places = np.flatnonzero(random.random(40_000) < 0.7)
    mean, deviation = moments(dense, places)
    assert mean == pytest.approx(dense[places].mean(axis=0), rel=1e-4)
    assert deviation == pytest.approx(dense[places].std(axis=0), rel=1e-4)


def test_videos_that_too_few_rows_show_have_no_place_and_those_shown_most_have(rows, monkeypatch):
    shown = np.array([3] * 4 + [5] * 5 + [8] * 9 + [9] * 7)
    some = replace(rows.only(np.arange(len(shown))), items=shown)
    inputs = RankerRows(some, None)
    train = np.arange(len(shown))
    assert np.flatnonzero(inputs.interest_places(train)).tolist() == [5, 8, 9]
    assert inputs.interest_places(train[:-3])[[5, 8, 9]].tolist() == [1, 2, 0]
    monkeypatch.setattr(ranker_rows, "MOST_VIDEOS", 2)
    assert inputs.interest_places(train)[[5, 8, 9]].tolist() == [0, 1, 2]


def test_without_histories_it_reads_features_alone(rows, split, quickly):
    trained = train_ranker(rows, split, quickly, None)
    assert trained.interests is None
    assert Ranker.load(trained.graph, len(FEATURE_NAMES)).score(rows.dense, rows.categories).any()
