"""Lists made ahead: whoever a worker never met gets one when rows cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live_home import LiveHome, until
from playbill.app.verbs import Home
from trained_home import VIEWERS, copy_of


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[LiveHome]:
    live = copy_of(template, tmp_path / "home")
    yield live
    if live.process is not None and live.process.poll() is None:
        live.stop()


def run(live: LiveHome, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playbill.cli", *arguments, "--home", str(live.home)]
    return subprocess.run(command, capture_output=True, text=True)


def precomputed(live: LiveHome, *more: str) -> dict[str, Any]:
    ran = run(live, "precompute", "--json", *more)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert isinstance(found, dict)
    return found


def without_rows(live: LiveHome) -> None:
    assert run(live, "drill", "users-gone", "--for", "60").returncode == 0
    gone = "user_store_unavailable"
    until(lambda: gone in live.feed("another")["reasons"], "the drill runs")


def test_a_viewer_whom_no_worker_has_met_gets_the_list_made_ahead(made: LiveHome) -> None:
    made.start()
    found = precomputed(made)
    assert (found["viewers"], found["without"], found["regions"]) == (VIEWERS, 0, 2)
    assert found["bytes"] == (made.home / "ahead.lists").stat().st_size
    without_rows(made)
    until(lambda: made.feed("viewer7", size=10)["tier"] == "cached", "the file is mapped")
    reply = made.feed("viewer7", size=10)
    assert "lists_stale" not in reply["reasons"]
    names = [item["video_id"] for item in reply["items"]]
    assert len(set(names)) == 10
    assert made.pool.request("DELETE", f"{made.url}/v1/videos/{names[0]}").status == 202
    until(
        lambda: [item["video_id"] for item in made.feed("viewer7", size=9)["items"]] == names[1:],
        "a take-down acts on it",
    )


def test_only_those_named_get_one_and_a_bad_file_leaves_the_old_one_serving(
    made: LiveHome, tmp_path: Path
) -> None:
    made.start()
    names = tmp_path / "names.txt"
    names.write_text("viewer1\nviewer2\n\nviewer1\n")
    assert precomputed(made, "--users", str(names))["viewers"] == 2
    without_rows(made)
    until(lambda: made.feed("viewer2", size=5)["tier"] == "cached", "the file is mapped")
    assert made.feed("viewer3")["tier"] == "popular"
    draft = tmp_path / "draft"
    draft.write_bytes((made.home / "ahead.lists").read_bytes()[:100])
    draft.replace(made.home / "ahead.lists")
    until(lambda: "ahead.lists are not served" in made.output.read_text(), "it is refused")
    assert made.feed("viewer2", size=5)["tier"] == "cached"


def test_what_cannot_be_precomputed_says_why(made: LiveHome, tmp_path: Path) -> None:
    ran = run(made, "precompute")
    assert ran.returncode == 3
    assert "start playbill up first" in ran.stderr
    made.start()
    ran = run(made, "precompute", "--users", str(tmp_path / "nothing"))
    assert ran.returncode == 2
    assert "cannot be read" in ran.stderr
    assert not (made.home / "ahead.lists").exists()


def test_under_playbill_up_the_lists_are_made_every_so_often(made: LiveHome) -> None:
    text = (made.home / "playbill.toml").read_text()
    made.configure(text + "[precompute]\nevery_s = 1\nviewers = 5\n")
    made.start()
    path = made.home / "ahead.lists"
    until(path.exists, "the lists are made")
    first = path.stat().st_ino
    until(lambda: path.stat().st_ino != first, "they are made again")
    assert made.stop() == 0
    assert not path.with_suffix(".lists.draft").exists()
    assert Home(made.home).settings.precompute.every_s == 1
