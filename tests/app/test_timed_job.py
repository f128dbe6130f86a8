"""A job that is started every so often: once at a time, again after a failure, ended at the end."""

import subprocess

import pytest

from playbill.app.timed_job import TimedJob
from playbill.core import FixedClock


class Process:
    """A process that ends when a test says so."""

    def __init__(self, *, obeys=True):
        self.status = None
        self.obeys = obeys
        self.told = []

    def poll(self):
        return self.status

    def terminate(self):
        self.told.append("terminate")
        self.status = -15 if self.obeys else None

    def kill(self):
        self.told.append("kill")
        self.status = -9

    def wait(self, timeout=None):
        if self.status is None:
            raise subprocess.TimeoutExpired("job", timeout)
        return self.status


@pytest.fixture
def clock():
    return FixedClock(0)


class Jobs:
    """A timed job, what it started and what it said."""

    def __init__(self, clock, every_s, *, obeys=True):
        self.started, self.said = [], []

        def start(command):
            assert command == ["run"]
            self.started.append(Process(obeys=obeys))
            return self.started[-1]

        self.job = TimedJob("job", ["run"], every_s, clock, self.said.append, start)
        self.clock = clock

    def at(self, seconds):
        self.clock.seconds = seconds
        self.job.look()
        return len(self.started)


def test_it_begins_after_each_period(clock):
    jobs = Jobs(clock, 10.0)
    assert [jobs.at(s) for s in (0, 9.9, 10)] == [0, 0, 1]
    jobs.started[0].status = 0
    assert [jobs.at(s) for s in (15, 19.9, 20)] == [1, 1, 2]
    assert jobs.said == []


def test_one_that_takes_longer_than_its_period_is_not_started_twice(clock):
    jobs = Jobs(clock, 10.0)
    assert [jobs.at(s) for s in (10, 20, 30)] == [1, 1, 1]
    jobs.started[0].status = 0
    assert jobs.at(30.1) == 2


def test_one_that_fails_is_told_of_and_tried_again_when_due(clock):
    jobs = Jobs(clock, 10.0)
    jobs.at(10)
    jobs.started[0].status = 3
    assert jobs.at(11) == 1
    assert jobs.said == ["job ended with status 3; it is tried again when due"]
    assert jobs.at(20) == 2


def test_without_a_period_it_never_begins(clock):
    assert Jobs(clock, 0.0).at(1e9) == 0


@pytest.mark.parametrize(("obeys", "told"), [(True, ["terminate"]), (False, ["terminate", "kill"])])
def test_stopping_ends_what_runs(clock, obeys, told):
    jobs = Jobs(clock, 10.0, obeys=obeys)
    jobs.job.stop()
    jobs.at(10)
    jobs.job.stop()
    assert jobs.started[0].told == told
