"""Serving for minutes while people act: nothing grows, and everything can be recomputed."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from live_home import LiveHome, event, until
from playbill.app.clock import SystemClock
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.verbs import Home
from playbill.benchmarks.feed import private_mb
from trained_home import VIEWERS, copy_of

ASKED_PER_S = 15.0
MOST_GROWTH = 0.02
PATIENT = "[http]\nhang_s = 10.0\n"
"""What else runs on the machine must not count as a hang."""
SPARE_MB = 4.0
"""What the allocator of a small process moves by on its own."""


def _held(live: LiveHome) -> tuple[float, int]:
    pid = live.pid(FIRST_WORKER)
    return private_mb(pid), len(os.listdir(f"/proc/{pid}/fd"))


def _act(live: LiveHome, dice: random.Random, number: int) -> None:
    """Ask for a feed as somebody, and click on one of its videos."""
    viewer = f"viewer{dice.randrange(VIEWERS)}"
    reply = live.feed(viewer, size=10)
    assert reply["items"], reply
    item = dice.choice(reply["items"])
    where = {"request_id": reply["request_id"], "position": item["position"]}
    click = event("click", viewer, item["video_id"], number, **where)
    assert live.post("/v1/events", {"events": [click]})[0] == 202


def _serve_for(live: LiveHome, seconds: float) -> None:
    clock, dice = SystemClock(), random.Random(5)
    began_s = clock.elapsed_s()
    marks: list[tuple[float, int]] = []
    pause = threading.Event()
    number = 0
    while (passed_s := clock.elapsed_s() - began_s) < seconds:
        _act(live, dice, number)
        number += 1
        if passed_s > seconds * (len(marks) + 1) / 9.0:
            marks.append(_held(live))
        ahead_s = number / ASKED_PER_S - (clock.elapsed_s() - began_s)
        pause.wait(max(ahead_s, 0.0))
    (early, open_early), (late, open_late) = marks[2], marks[-1]
    assert late <= early * (1.0 + MOST_GROWTH) + SPARE_MB, marks
    assert open_late <= open_early + 2, marks


def _can_be_recomputed(live: LiveHome) -> None:
    live.stop()
    home = Home(live.home)
    assert home.verify_state().equal
    found = home.parity(2_000)
    assert found.compared > 100
    assert found.equal == found.compared


def _soaked(template: Path, folder: Path, seconds: float) -> None:
    live = copy_of(template, folder)
    with (live.home / "playbill.toml").open("a") as settings:
        settings.write(PATIENT)
    live.start()
    try:
        until(lambda: live.feed("viewer1")["tier"] == "full", "a full feed")
        before = live.pid(FIRST_WORKER)
        _serve_for(live, seconds)
        assert live.pid(FIRST_WORKER) == before
        _can_be_recomputed(live)
    finally:
        if live.process is not None and live.process.poll() is None:
            live.stop()


def test_five_minutes_leave_nothing_behind(template: Path, tmp_path: Path) -> None:
    _soaked(template, tmp_path / "home", 300.0)


@pytest.mark.long
def test_an_hour_leaves_nothing_behind(template: Path, tmp_path: Path) -> None:
    _soaked(template, tmp_path / "home", 3_600.0)
