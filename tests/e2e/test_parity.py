"""Served feature vectors come out of the log again, bit for bit, or the command says which not."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_home import LiveHome, event, until
from playbill.contracts import EVENT_RECORD, BatchKind
from playbill.features import FEATURE_NAMES
from trained_home import copy_of


@pytest.fixture(scope="module")
def lived(template: Path, tmp_path_factory: pytest.TempPathFactory) -> LiveHome:
    """A trained home that served live traffic, and was stopped."""
    live = copy_of(template, tmp_path_factory.mktemp("parity") / "home")
    live.workers = 2
    live.start()
    for number in range(150):
        viewer = f"viewer{number % 40}"
        reply = live.feed(viewer, size=15)
        assert reply["tier"] == "full"
        outcomes = [
            event(
                "click", viewer, item["video_id"], 10_000 + number, request_id=reply["request_id"]
            )
            for item in reply["items"][:4]
        ]
        live.post("/v1/events", {"events": outcomes}, live.collector)
    until(lambda: live.status()["epoch_age_ms"] > 300, "everything is folded")
    assert live.stop() == 0
    return live


def parity(home: Path, sample: int = 2_000) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "playbill.cli", "parity", "--home", str(home)]
    done = subprocess.run(
        [*command, "--sample", str(sample), "--json"], capture_output=True, timeout=200
    )
    return done.returncode, json.loads(done.stdout)


def test_every_served_vector_is_recomputed_bit_for_bit(lived: LiveHome) -> None:
    status, report = parity(lived.home)
    assert status == 0
    assert report["compared"] >= 2_000
    assert report["equal"] == report["compared"]
    assert report["first_mismatch"] is None


def test_one_changed_event_in_a_copy_of_the_log_is_found_and_a_feature_is_named(
    lived: LiveHome, tmp_path: Path
) -> None:
    home = tmp_path / "copy"
    shutil.copytree(lived.home, home)
    with sqlite3.connect(home / "log" / "collect.sqlite") as log:
        position, payload = log.execute(
            "SELECT position, payload FROM batches WHERE kind = ? ORDER BY position LIMIT 1",
            (BatchKind.EVENTS,),
        ).fetchone()
        records = np.frombuffer(payload, EVENT_RECORD).copy()
        records["kind"][0] = 4 if records["kind"][0] != 4 else 2
        log.execute(
            "UPDATE batches SET payload = ? WHERE position = ?", (records.tobytes(), position)
        )
    status, report = parity(home, sample=100_000)
    assert status == 1
    assert report["equal"] < report["compared"]
    assert report["first_mismatch"]["feature"] in FEATURE_NAMES


def test_a_home_that_served_nothing_has_nothing_to_compare(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "playbill.cli", "parity", "--home", str(tmp_path / "empty")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "holds no served feature vectors" in done.stderr
