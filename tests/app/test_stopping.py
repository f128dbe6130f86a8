"""Signals that arrive inside each other, as a supervisor's death and its SIGTERM do."""

import os
import signal
import threading

import pytest

from playbill.app.stopping import Stop


@pytest.fixture
def stop():
    asked = Stop()
    before = signal.signal(signal.SIGUSR1, asked.ask)
    yield asked
    signal.signal(signal.SIGUSR1, before)


def test_a_flood_of_signals_during_a_wait_ends_it(stop):
    flooding = threading.Event()

    def flood() -> None:
        while not flooding.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        for _ in range(20_000):
            assert stop.wait(30.0)
    finally:
        flooding.set()
        sender.join()
    assert stop.asked()


def test_without_being_asked_a_wait_lasts_as_long_as_it_says():
    stop = Stop()
    assert not stop.wait(0.0)
    assert not stop.wait(0.001)
    assert not stop.asked()
