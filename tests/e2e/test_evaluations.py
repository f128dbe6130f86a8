"""Every protocol of ``playbill evaluate``, on a home that served and learned."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from live_home import LiveHome, event, until
from playbill.cli.judge_tables import print_policies
from playbill.cli.main import app
from trained_home import copy_of


@pytest.fixture(scope="module")
def lived(template: Path, tmp_path_factory: pytest.TempPathFactory) -> LiveHome:
    return copy_of(template, tmp_path_factory.mktemp("evaluations") / "home")


@pytest.fixture(scope="module")
def explored(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveHome, str]:
    """A home whose champion served feeds with much chance in them, and a later bundle beside it."""
    live = copy_of(template, tmp_path_factory.mktemp("explored") / "home")
    settings = live.home / "playbill.toml"
    text = settings.read_text().replace("[serving]\n", "[serving]\nexplore_share = 0.3\n")
    settings.write_text(text)
    live.start()
    dice = random.Random(5)
    for number in range(160):
        viewer = f"viewer{number % 80}"
        reply = live.feed(viewer, size=15)
        outcomes = [
            event("click", viewer, item["video_id"], number, request_id=reply["request_id"])
            for item in reply["items"]
            if dice.random() < (0.2 if item["propensity"] < 0.5 else 0.6)
        ]
        live.post("/v1/events", {"events": outcomes}, live.collector)
    until(lambda: live.status()["epoch_age_ms"] > 300, "everything is folded")
    assert live.stop() == 0
    trained = CliRunner().invoke(app, ["train", "--home", str(live.home), "--no-promote", "--json"])
    assert trained.exit_code == 0, trained.output
    return live, json.loads(trained.stdout)["digest"]


def evaluated(home: Path, protocol: str, *more: str) -> Result:
    return CliRunner().invoke(
        app,
        ["evaluate", "--home", str(home), "--protocol", protocol, *more],
        env={"COLUMNS": "180"},
    )


def told(home: Path, protocol: str, *more: str) -> dict[str, Any]:
    done = evaluated(home, protocol, *more, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["protocol"] == protocol
    return found


def test_quick_stands_the_champion_beside_its_baselines(lived: LiveHome, tmp_path: Path) -> None:
    page = tmp_path / "quick.html"
    done = evaluated(lived.home, "quick", "--html", str(page))
    assert done.exit_code == 0, done.output
    for words in ("long_view", "above the others", "logistic", "lightgbm", "standard errors"):
        assert words in done.stdout
    assert "lightgbm" in page.read_text()
    plain = told(lived.home, "quick", "--no-baselines")
    assert plain["baselines"] == {}
    assert plain["metrics"]["click"]["auc"] > 0.5


def test_off_policy_tells_what_chance_supports(
    explored: tuple[LiveHome, str], tmp_path: Path
) -> None:
    page, home = tmp_path / "policies.html", explored[0].home
    shares = ("--explore-share", "0", "--explore-share", "0.45")
    report = told(home, "off-policy", *shares, "--html", str(page))
    assert report["feeds"] == 160
    assert 0.2 < report["by_chance"] / report["places"] < 0.4
    without, with_more = (report["shares"][share]["click"] for share in ("0", "0.45"))
    assert without["snips"]["interval"][0] > with_more["snips"]["interval"][1]
    assert without["mean_weight"] == pytest.approx(1.0, abs=0.1)
    (order,) = report["orders"].values()
    assert 0.0 < order["click"]["dr"]["value"] < 1.0
    assert "explore_share 0.45" in page.read_text()


def test_off_policy_stands_another_bundle_beside_the_champion(
    explored: tuple[LiveHome, str], capsys: pytest.CaptureFixture[str]
) -> None:
    live, other = explored
    printed = evaluated(live.home, "off-policy", "--against", other[7:19])
    assert printed.exit_code == 0, printed.output
    for words in ("as logged", "order of", "effective", "drafting against"):
        assert words in printed.stdout
    report = told(live.home, "off-policy", "--against", other[7:19])
    some = {**report, "orders": {other: {"click": {"refused": "12 effective decisions"}}}}
    capsys.readouterr()
    print_policies(some)
    assert "not told: 12 effective decisions" in capsys.readouterr().out
    assert len(report["orders"]) == len(("champion", "other"))
    assert report["interleaving"]["theirs"] == other
    assert -1.0 <= report["interleaving"]["preference"] <= 1.0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--explore-share", "0.9"), "explore_share is 0.9"),
        (("--against", "123abc"), "123abc"),
    ],
)
def test_a_policy_that_cannot_be_told_is_refused(
    explored: tuple[LiveHome, str], more: tuple[str, str], words: str
) -> None:
    done = evaluated(explored[0].home, "off-policy", *more)
    assert done.exit_code in (1, 2)
    assert words in done.output


def test_a_log_without_ranked_feeds_tells_no_policy(lived: LiveHome) -> None:
    """Before the first bundle, feeds came from lists."""
    done = evaluated(lived.home, "off-policy")
    assert done.exit_code == 2
    assert "no feed that this system ranked" in done.output


def test_leave_one_out_prints_each_source(lived: LiveHome, tmp_path: Path) -> None:
    page = tmp_path / "retrieval.html"
    done = evaluated(lived.home, "leave-one-out", "--seeds", "1", "--html", str(page))
    assert done.exit_code == 0, done.output
    for words in ("popularity", "counts", "towers", "blend", "indexed", "HR@10"):
        assert words in done.stdout
        assert words in page.read_text()
    assert "counts weigh" in done.stdout


def test_cold_start_prints_what_is_new_and_by_how_much(lived: LiveHome, tmp_path: Path) -> None:
    page = tmp_path / "new.html"
    done = evaluated(lived.home, "cold-start", "--html", str(page))
    assert done.exit_code == 0, done.output
    for words in ("popularity", "hindsight", "towers", "HR@10"):
        assert words in done.stdout
        assert words in page.read_text()
    assert "towers above popularity" in done.stdout
    assert "HR@10 of new videos" in page.read_text()


def test_rolling_over_too_few_days_is_refused(lived: LiveHome) -> None:
    done = evaluated(lived.home, "rolling")
    assert done.exit_code == 2
    assert "rolling over 5 needs 7" in done.output
