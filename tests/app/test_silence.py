"""How long a process was silent: what holds up who asks is not held against it."""

import socket
import subprocess

import pytest

from playbill.app import children
from playbill.app.children import Child
from playbill.core import FixedClock


class _Row:
    """A row of the board whose reader is held up on the way to it, while the process beats on."""

    def __init__(self, clock: FixedClock, held_up_s: float, silent_s: float) -> None:
        self.clock, self.held_up_s, self.silent_s = clock, held_up_s, silent_s

    def __getitem__(self, name: str) -> float:
        assert name == "beat_s"
        beat_s = self.clock.elapsed_s() - self.silent_s
        self.clock.seconds += self.held_up_s
        return beat_s


@pytest.fixture
def child():
    mine, theirs = socket.socketpair()
    process = subprocess.Popen(["sleep", "60"])
    yield Child("worker", 2, process, mine, started_s=0.0)
    process.kill()
    process.wait()
    mine.close()
    theirs.close()


def _queued(clock: FixedClock, seconds: float, held_up_s: float = 0.0):
    def queued_for_a_core_s(pid: int) -> float:
        clock.seconds += held_up_s
        return seconds

    return queued_for_a_core_s


def test_silence_is_the_time_since_the_last_beat(child, monkeypatch):
    clock = FixedClock(1_700_000_000_000)
    clock.seconds += 50.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 0.0))
    assert child.silence_s(_Row(clock, 0.0, 0.4), clock) == pytest.approx(0.4)


def test_a_supervisor_that_is_held_up_while_it_asks_sees_no_silence(child, monkeypatch):
    clock = FixedClock(1_700_000_000_000)
    clock.seconds += 50.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 0.0, held_up_s=5.0))
    assert child.silence_s(_Row(clock, 5.0, 0.1), clock) <= 0.1 + 1e-9


def test_time_in_the_queue_for_a_core_is_no_silence(child, monkeypatch):
    clock = FixedClock(1_700_000_000_000)
    clock.seconds += 50.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 1.0))
    row = _Row(clock, 0.0, 0.0)
    assert child.silence_s(row, clock) == pytest.approx(0.0)
    clock.seconds += 3.0
    row.silent_s = 3.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 3.5))
    assert child.silence_s(row, clock) == pytest.approx(0.5)


def test_silence_is_no_longer_than_a_life(child, monkeypatch):
    clock = FixedClock(1_700_000_000_000)
    clock.seconds += 50.0
    child.started_s = clock.elapsed_s() - 2.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 0.0))
    assert child.silence_s(_Row(clock, 0.0, 30.0), clock) == pytest.approx(2.0)


def test_a_thread_that_ends_takes_its_time_in_the_queue_with_it_and_is_no_silence(
    child, monkeypatch
):
    clock = FixedClock(1_700_000_000_000)
    clock.seconds += 50.0
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 25.0))
    row = _Row(clock, 0.0, 0.0)
    assert child.silence_s(row, clock) == pytest.approx(0.0)
    clock.seconds += 0.1
    row.silent_s = 0.1
    monkeypatch.setattr(children, "queued_for_a_core_s", _queued(clock, 2.0))
    assert child.silence_s(row, clock) == pytest.approx(0.1)
