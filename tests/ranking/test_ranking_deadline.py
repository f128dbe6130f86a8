"""Deadlines, breakers and cost meters by a clock that stands still until it is moved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.core import FixedClock
from playbill.ranking import Breaker, CostMeter, Deadline


@pytest.fixture
def clock():
    return FixedClock(0)


def test_a_deadline_counts_down_and_below_nothing(clock):
    deadline = Deadline(clock, 40.0)
    assert deadline.left_ms() == pytest.approx(40.0)
    clock.seconds += 0.030
    assert deadline.left_ms() == pytest.approx(10.0)
    clock.seconds += 0.030
    assert deadline.left_ms() == pytest.approx(-20.0)


def test_a_deadline_does_not_follow_a_wall_clock_that_jumps(clock):
    deadline = Deadline(clock, 40.0)
    clock.at_ms += 10**9
    assert deadline.left_ms() == pytest.approx(40.0)


def test_a_breaker_opens_at_the_last_of_its_failures_in_a_row(clock):
    breaker = Breaker(clock, failures=3, open_s=1.0)
    for _ in range(2):
        assert breaker.allows()
        breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_a_success_in_between_begins_the_count_anew(clock):
    breaker = Breaker(clock, failures=2, open_s=1.0)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    breaker.failed()
    assert breaker.allows()


def test_an_open_breaker_lets_one_probe_through_in_each_interval(clock):
    breaker = Breaker(clock, failures=1, open_s=1.0)
    breaker.failed()
    clock.seconds = 0.999
    assert not breaker.allows()
    clock.seconds = 1.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    clock.seconds = 2.0
    assert breaker.allows()


def test_a_probe_that_succeeds_closes_and_one_that_fails_keeps_it_open(clock):
    breaker = Breaker(clock, failures=1, open_s=1.0)
    breaker.failed()
    clock.seconds = 1.5
    assert breaker.allows()
    breaker.failed()
    clock.seconds = 2.4
    assert not breaker.allows()
    clock.seconds = 2.5
    assert breaker.allows()
    breaker.succeeded()
    assert all(breaker.allows() for _ in range(5))


@law(200)
@given(
    failures=st.integers(1, 4),
    steps=st.lists(st.sampled_from(["ask", "fail", "succeed", "wait a bit", "wait"]), max_size=80),
)
def test_a_breaker_is_a_small_machine(failures, steps):
    clock = FixedClock(0)
    breaker = Breaker(clock, failures, open_s=1.0)
    told, is_open, probe_at_s = list[bool](), False, 0.0
    for step in steps:
        match step:
            case "ask":
                due = clock.seconds >= probe_at_s
                assert breaker.allows() == (not is_open or due)
                if is_open and due:
                    probe_at_s = clock.seconds + 1.0
            case "fail":
                breaker.failed()
                told.append(False)
                in_a_row = not any(told[-failures:]) and len(told) >= failures
                often = len(told) >= 20 and sum(told[-20:]) <= 10
                if is_open or in_a_row or often:
                    is_open, probe_at_s = True, clock.seconds + 1.0
            case "succeed":
                breaker.succeeded()
                told = [True] if is_open else [*told, True]
                is_open = False
            case "wait a bit":
                clock.seconds += 0.25
            case "wait":
                clock.seconds += 1.0


def test_a_part_that_fails_every_second_time_is_left_alone_once_that_is_sure(clock):
    breaker = Breaker(clock, failures=3, open_s=1.0)
    for number in range(19):
        (breaker.failed if number % 2 else breaker.succeeded)()
        assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.seconds += 1.0
    assert breaker.allows()
    breaker.succeeded()
    breaker.failed()
    assert breaker.allows()


def test_one_failure_in_three_is_borne(clock):
    breaker = Breaker(clock, failures=3, open_s=1.0)
    for number in range(300):
        (breaker.succeeded if number % 3 else breaker.failed)()
        assert breaker.allows()


def test_before_anything_is_known_all_rows_fit():
    assert CostMeter().rows_within(0.001, 200) == 200


def test_without_time_no_row_fits_even_before_anything_is_known():
    assert CostMeter().rows_within(0.0, 200) == 0
    assert CostMeter().rows_within(-5.0, 200) == 0


def test_rows_fit_by_what_they_cost_lately():
    meter = CostMeter()
    meter.observe(rows=100, ms=50.0)
    assert meter.rows_within(60.0, 200) == 120
    assert meter.rows_within(60.0, 90) == 90
    assert meter.rows_within(0.4, 200) == 0
    assert meter.rows_within(-1.0, 200) == 0


def test_slowness_is_believed_at_once_and_speed_gradually():
    meter = CostMeter()
    meter.observe(rows=100, ms=10.0)
    meter.observe(rows=1, ms=2.0)
    assert meter.rows_within(20.0, 1_000) == 10
    fitting = []
    for _ in range(30):
        meter.observe(rows=100, ms=10.0)
        fitting.append(meter.rows_within(20.0, 1_000))
    assert fitting == sorted(fitting)
    assert fitting[0] < 20 < 190 < fitting[-1] <= 200


@law(150)
@given(
    calls=st.lists(st.tuples(st.integers(1, 300), st.floats(0.01, 100.0)), min_size=1, max_size=12),
    budget_ms=st.floats(0.1, 200.0),
)
def test_never_more_rows_than_the_cheapest_call_ever_would_allow(calls, budget_ms):
    meter = CostMeter()
    for rows, ms in calls:
        meter.observe(rows, ms)
    costs = [ms / rows for rows, ms in calls]
    fitting = meter.rows_within(budget_ms, 10**9)
    assert int(budget_ms / max(costs)) <= fitting + 1
    assert fitting <= budget_ms / min(costs) * (1 + 1e-9)
    assert fitting <= budget_ms / costs[-1] * (1 + 1e-9)
