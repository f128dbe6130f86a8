"""A home that has seen some life and learned from it; made once a session, copied for each test."""

from __future__ import annotations

import fcntl
import random
import shutil
import subprocess
import sys
from pathlib import Path

from live_home import LiveHome, event, until

VIDEOS = 400
VIEWERS = 120


def trained_home(shared: Path) -> Path:
    """Return the template home under a folder that all test workers share."""
    template = shared / "trained-home"
    with (shared / "trained-home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "done").exists():
            _live_a_little(template)
            (template / "done").touch()
    return template


def copy_of(template: Path, target: Path) -> LiveHome:
    """Return a home of a test's own with the same past."""
    shutil.copytree(template, target)
    return LiveHome(target)


def _live_a_little(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    live = LiveHome(home)
    live.configure(
        'drills = true\nsurfaces = ["home"]\nregions = ["north", "south"]\n'
        "[serving]\ntrace_share = 1.0\n"
        "[training]\nepochs = 4\nbatch_rows = 128\ntower_epochs = 4\nthreads = 1\n"
    )
    live.start()
    live.post_videos(VIDEOS)
    dice = random.Random(3)
    for number in range(4 * VIEWERS):
        viewer = f"viewer{number % VIEWERS}"
        taste = number % 10
        reply = live.feed(viewer, size=15, region=dice.choice(["north", "south"]))
        outcomes = []
        for item in reply["items"]:
            likes_it = int(item["video_id"][1:]) % 10 == taste
            if dice.random() < (0.8 if likes_it else 0.15):
                where = {"request_id": reply["request_id"], "position": item["position"]}
                outcomes.append(event("click", viewer, item["video_id"], number, **where))
                watched = 25_000 if likes_it else dice.choice([2_000, 19_000])
                outcomes.append(
                    event("watch", viewer, item["video_id"], number, watch_ms=watched, **where)
                )
                if dice.random() < 0.2:
                    outcomes.append(event("like", viewer, item["video_id"], number, **where))
        live.post("/v1/events", {"events": outcomes}, live.collector)
    until(lambda: live.status()["epoch_age_ms"] > 300, "everything is folded")
    assert live.stop() == 0
    subprocess.run(
        [sys.executable, "-m", "playbill.cli", "train", "--home", str(home)],
        check=True,
        capture_output=True,
        timeout=300,
    )
