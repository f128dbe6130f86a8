"""The demo around its story: its home, being stopped, and figures that are not known."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from typer.testing import CliRunner

from live_home import free_port, until
from playbill.app import demo, layout
from playbill.app.demo import MARKER, Demo
from playbill.app.stopping import Stopped
from playbill.cli.main import app
from playbill.core import Conflict


@pytest.fixture
def story(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")
    return Demo(tmp_path / "home", 8700)


def test_its_home_is_emptied_and_configured_through_the_settings(story):
    for _ in range(2):
        playbill = story._fresh_home()
        assert playbill.settings.serving.trace_share == 0.2
        assert (playbill.settings.drills, len(playbill.settings.example_users)) == (True, 40)
        assert playbill.wiring.settings == demo.Home(story.home).settings
        (story.home / "leftover").touch()
    assert (story.home / MARKER).exists()


def test_a_folder_that_no_demo_made_is_left_alone(story):
    story.home.mkdir()
    (story.home / "mine").touch()
    with pytest.raises(Conflict, match="holds something that no demo made"):
        story._fresh_home()
    assert (story.home / "mine").exists()


class Nobody:
    """A supervisor that has nothing to start."""

    def __init__(self, wiring, say, stopping):
        self.stopping = stopping

    def start(self):
        """Nothing starts."""

    def watch(self):
        self.stopping.wait(60.0)


def test_a_story_looks_whether_it_was_stopped_at_every_step_it_tells(story, monkeypatch):
    monkeypatch.setattr(demo, "Supervisor", Nobody)
    told = []

    def on_stage(stage, share):
        told.append((stage, share))
        story.stopping.ask()

    with pytest.raises(Stopped):
        story.run(on_stage, print, print, stay=True)
    assert told == [("start", 0.0)]
    assert threading.active_count() == 1


def test_waiting_for_the_server_ends_when_it_is_stopped(story):
    story.stopping.ask()
    with pytest.raises(Stopped):
        story._until(lambda *_: None, "swap", lambda: False)


class Endless:
    """A loop of people that runs until it is called off."""

    def __init__(self, asked):
        self.asked = asked
        self.looks = 0
        self.stopped = False

    def run(self, *, requests_per_s, on_progress):
        while not self.stopped:
            self.looks += 1
            if self.looks == 3:
                self.asked()
            on_progress(None)

    def stop(self):
        self.stopped = True


def test_people_who_keep_the_console_alive_leave_when_it_is_stopped(story):
    loop = Endless(story.stopping.ask)
    story._keep_alive(loop)
    assert loop.looks == 3


def test_a_stopped_demo_stops_promptly_and_ends_with_status_130(tmp_path):
    """With the real servers, while people watch for what would be an hour."""
    home, output = tmp_path / "home", tmp_path / "output"
    command = [sys.executable, "-m", "playbill.cli", "demo", "--home", str(home)]
    command += ["--port", str(free_port()), "--seconds", "3600"]
    with output.open("wb") as to:
        process = subprocess.Popen(command, stdout=to, stderr=to)
    try:
        until(lambda: "people watch" in output.read_text(), "people watch", patience_s=240.0)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 130, output.read_text()
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in output.read_text()


def test_people_who_are_shown_nothing_have_no_click_rate():
    """No server is there; the world is small, and the second it lasts is spent on asking."""
    port = free_port()
    words = ["--url", f"http://127.0.0.1:{port}", "--collector", f"http://127.0.0.1:{port + 1}"]
    ended = CliRunner().invoke(app, ["simulate", *words, "--seconds", "0.5"])
    assert ended.exit_code == 0, ended.exception
    assert "clicks none, long views none, p95 none ms" in " ".join(ended.stdout.split())
