"""A search keeps every trial, goes on where it was, and never reads the rows that report."""

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from playbill.cli.main import app
from playbill.core import InvalidInput
from playbill.training import Dataset, ranker_training
from playbill.training.searching import BATCHES, MOST_EPOCHS, RATES, SearchAsked, search, study_name
from playbill.training.split import quick_split

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(ranker_training, "FEWEST_STEPS", 0)


def asked(**changes):
    return SearchAsked(**{"trials": 3, **changes})


def test_every_trial_is_on_record_and_the_first_is_the_settings(dataset, quickly, tmp_path):
    told = []
    found = search(
        dataset, quickly, tmp_path / "s.sqlite", asked(seeds=2),
        lambda stage, share: told.append((stage, share)),
    )  # fmt: skip
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2]
    first = found["trials"][0]
    assert first["values"] == {"learning_rate": 3e-3, "batch_rows": 128, "epochs": 6}
    assert found["settings_now"] == first["loss"] == pytest.approx(np.mean(first["losses"]))
    assert all(len(trial["losses"]) == 2 for trial in found["trials"])
    for trial in found["trials"]:
        values = trial["values"]
        assert RATES[0] <= values["learning_rate"] <= RATES[1]
        assert values["batch_rows"] in BATCHES
        assert 1 <= values["epochs"] <= MOST_EPOCHS
    assert found["best"]["loss"] == min(trial["loss"] for trial in found["trials"])
    assert told[-1] == ("search", 1.0)


def test_a_search_goes_on_and_the_same_seed_tries_the_same(dataset, quickly, tmp_path):
    whole = search(dataset, quickly, tmp_path / "whole.sqlite", asked())
    again = search(dataset, quickly, tmp_path / "again.sqlite", asked())
    assert again["trials"] == whole["trials"]
    more = search(dataset, quickly, tmp_path / "whole.sqlite", asked(trials=1))
    assert more["trials"][:3] == whole["trials"]
    assert len(more["trials"]) == 4


def test_rows_that_report_are_not_looked_at(dataset, quickly, tmp_path, monkeypatch):
    plain = search(dataset, quickly, tmp_path / "plain.sqlite", asked(trials=1))
    rows = dataset.rows()
    report = quick_split(rows.at_ms, quickly.training.holdout).report(rows.at_ms)
    parts = {"labels": rows.labels ^ report[:, None]}
    blind = type(rows)(*(parts.get(name, getattr(rows, name)) for name in rows.__slots__))
    monkeypatch.setattr(Dataset, "rows", lambda self, **how: blind)
    spoiled = search(dataset, quickly, tmp_path / "spoiled.sqlite", asked(trials=1))
    assert spoiled["trials"] == plain["trials"]


def test_other_rows_or_settings_are_another_study(dataset, quickly):
    name = study_name(dataset, quickly, asked())
    assert study_name(dataset, quickly, asked(trials=9)) == name
    assert study_name(dataset, quickly, asked(seeds=2)) != name
    slower = msgspec.structs.replace(quickly.training, learning_rate=1e-4)
    assert study_name(dataset, msgspec.structs.replace(quickly, training=slower), asked()) == name
    other = msgspec.structs.replace(quickly.training, seed=9)
    assert study_name(dataset, msgspec.structs.replace(quickly, training=other), asked()) != name


def test_without_time_nothing_is_tried_and_that_is_said(dataset, quickly, tmp_path):
    with pytest.raises(InvalidInput, match="none of"):
        search(dataset, quickly, tmp_path / "s.sqlite", asked(minutes=0.0))


def test_the_command_prints_the_best_as_settings(tables, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "tables").symlink_to(tables)
    (home / "playbill.toml").write_text(
        'regions = ["north", "south"]\nsurfaces = ["home", "related"]\n'
        "[training]\nbatch_rows = 128\n"
    )
    said = ["search", "--home", str(home), "--trials", "2"]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, done.output
    for words in ("2 trials on record", "[training]", "learning_rate = ", "batch_rows = "):
        assert words in done.stdout
    (tables / "search.sqlite").unlink()
