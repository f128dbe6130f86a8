"""Every command of the documents is run: shell and Python, in order, against a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, Block, blocks

from live_home import LiveHome, until
from playbill.app.verbs import Home
from playbill.importing import KuaiRand

# python.md reads the table that importing.md writes.
ORDER = ["README.md", "docs/importing.md", "docs/python.md", "docs/security.md"]
VOLATILE = {"request_id", "served_at", "cursor"}
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Desk:
    """A folder to work in, and the server that the commands meet."""

    folder: Path
    live: LiveHome

    def run(self, command: list[str], text: str) -> subprocess.CompletedProcess[str]:
        text = text.replace("127.0.0.1:8700", f"127.0.0.1:{self.live.port}")
        text = text.replace("127.0.0.1:8701", f"127.0.0.1:{self.live.port + 1}")
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [*command, text],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PLAYBILL_HOME": str(self.live.home)},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    (folder / "bin").mkdir(parents=True)
    if shutil.which("curl") is None:
        stand_in = folder / "bin" / "curl"
        script = Path(__file__).with_name("curl_stand_in.py")
        stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
        stand_in.chmod(0o700)
    _download_kuairand(folder / "KuaiRand-Pure/data")
    live = LiveHome(tmp_path / "home").start()
    yield Desk(folder, live)
    live.stop()


def _download_kuairand(folder: Path) -> None:
    """Write one exposure in the layout of the public archive."""
    folder.mkdir(parents=True)
    log = {
        "user_id": 7, "video_id": 3, "date": 20220425, "hourmin": 400, "time_ms": 1650830400000,
        "is_click": 1, "is_like": 0, "is_follow": 0, "is_comment": 0, "is_forward": 0,
        "is_hate": 0, "long_view": 1, "play_time_ms": 20000, "duration_ms": 15000,
        "profile_stay_time": 0, "comment_stay_time": 0, "is_profile_enter": 0, "is_rand": 0,
        "tab": 1,
    }  # fmt: skip
    video = {
        "video_id": 3, "author_id": 9, "video_type": "NORMAL", "upload_dt": "2022-04-10",
        "upload_type": "ShortImport", "visible_status": 1, "video_duration": 15000.0, "tag": "12",
    }  # fmt: skip
    for name, row in (
        ("log_standard_4_22_to_5_08_pure.csv", log),
        ("video_features_basic_pure.csv", video),
        ("user_features_pure.csv", {"user_id": 7, "user_active_degree": "full_active"}),
    ):
        lines = [",".join(row), ",".join(str(value) for value in row.values())]
        (folder / name).write_text("\n".join(lines) + "\n")


def told(value: Any) -> Any:
    """Return a reply without what differs from run to run."""
    if isinstance(value, dict):
        return {name: "…" if name in VOLATILE else told(one) for name, one in value.items()}
    return [told(one) for one in value] if isinstance(value, list) else value


def run_shell(desk: Desk, block: Block, shown: Block | None) -> None:
    """Run a block; where its output is shown too, until that is what comes out."""

    def output() -> str:
        done = desk.run(["bash", "-euc"], block.text)
        assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    if shown is None:
        output()
        return
    wanted = told(json.loads(shown.text))
    until(lambda: told(json.loads(output())) == wanted, f"what {shown.place} shows", PATIENCE_S)


def run_python(desk: Desk, document: Path) -> None:
    script = "\n".join(block.text for block in blocks(document) if block.language == "python")
    if script:
        done = desk.run([sys.executable, "-Werror", "-c"], script)
        assert done.returncode == 0, f"{document.name}\n{done.stdout}\n{done.stderr}"


def test_every_command_of_the_documents_does_what_they_say(desk: Desk) -> None:
    for name in ORDER:
        found = [*blocks(ROOT / name), None]
        for block, after in pairwise(found):
            if block is not None and block.language == "sh":
                shown = after if after is not None and after.language == "json" else None
                run_shell(desk, block, shown)
        run_python(desk, ROOT / name)
    report = Home(desk.folder / "kuairand-home").import_history(
        KuaiRand(desk.folder / "kuairand", history=False)
    )
    assert report.event_types == {"impression": 1, "click": 1, "watch": 1}


def test_no_other_document_holds_a_command_that_nobody_runs() -> None:
    others = [
        path for path in (ROOT / "docs").rglob("*.md") if str(path.relative_to(ROOT)) not in ORDER
    ]
    assert [
        b.place for path in others for b in blocks(path) if b.language in ("sh", "python")
    ] == []
