from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, FixedClock


def test_durations_are_counted_in_milliseconds():
    assert (SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS) == (1_000, 60_000, 3_600_000, 86_400_000)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(at_ms=st.integers(0, 1 << 42), steps_ms=st.lists(st.integers(0, DAY_MS), max_size=10))
def test_a_fixed_clock_stands_still_until_it_is_advanced_and_moves_both_readings(at_ms, steps_ms):
    clock = FixedClock(at_ms)
    assert (clock.now_ms(), clock.now_ms(), clock.elapsed_s()) == (at_ms, at_ms, 0.0)
    for step_ms in steps_ms:
        before_s = clock.elapsed_s()
        clock.advance(step_ms)
        assert clock.elapsed_s() >= before_s
    assert clock.now_ms() == at_ms + sum(steps_ms)
    assert abs(clock.elapsed_s() - sum(steps_ms) / SECOND_MS) < 1e-3
