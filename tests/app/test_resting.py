import pytest

from playbill.app import resting


def test_a_rest_is_so_many_times_as_long_as_the_work_before_it_within_bounds(monkeypatch):
    now_s, slept = 100.0, []

    def sleep(seconds):
        nonlocal now_s
        now_s += seconds
        slept.append(seconds)

    monkeypatch.setattr(resting.time, "sleep", sleep)
    rests = resting.Rests(3.0, lambda: now_s)
    for worked_s in (0.02, 2.0):
        now_s += worked_s
        rests.rest()
    assert slept == [pytest.approx(0.06), 0.1]
