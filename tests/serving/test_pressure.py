"""A worker under pressure does less for each feed, and more again when it is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import Tier
from playbill.core import FixedClock
from playbill.serving.pressure import Pressure

TIERS = [Tier.FULL, Tier.LIGHT, Tier.CACHED, Tier.POPULAR, Tier.STATIC]
LIMIT_MS, COOL_DOWN_S = 20.0, 2.0


def _feel(pressure: Pressure, clock: FixedClock, wait_ms: float, seconds: float) -> list[Tier]:
    """Observe a wait every 10 ms; return the tiers in the order in which they came."""
    met = [pressure.tier]
    for _ in range(round(seconds * 100)):
        clock.seconds += 0.01
        pressure.observe(wait_ms)
        if pressure.tier is not met[-1]:
            met.append(pressure.tier)
    return met


@pytest.fixture
def clock():
    return FixedClock(0)


@pytest.fixture
def pressure(clock):
    return Pressure(clock, LIMIT_MS, COOL_DOWN_S)


@pytest.mark.parametrize(
    ("wait_ms", "tier"),
    [(0, "full"), (20, "full"), (30, "light"), (50, "cached"), (70, "popular"), (500, "static")],
)
def test_how_long_things_wait_decides_how_far_down(pressure, clock, wait_ms, tier):
    assert _feel(pressure, clock, wait_ms, 1.0)[-1].value == tier


def test_one_late_turn_is_no_pressure_and_a_very_late_one_is(pressure):
    pressure.observe(40.0)
    assert pressure.tier is Tier.FULL
    pressure.observe(400.0)
    assert pressure.tier is Tier.STATIC


def test_it_comes_back_one_tier_a_cool_down(pressure, clock):
    _feel(pressure, clock, 500.0, 1.0)
    assert _feel(pressure, clock, 0.0, 1.9) == [Tier.STATIC]
    assert _feel(pressure, clock, 0.0, 10.0) == TIERS[::-1]


def test_it_stays_down_while_waits_are_neither_long_nor_short(pressure, clock):
    _feel(pressure, clock, 30.0, 1.0)
    assert _feel(pressure, clock, 10.0, 60.0) == [Tier.LIGHT]


@law(100)
@given(waits=st.lists(st.tuples(st.floats(0, 1_000), st.integers(1, 300)), max_size=12))
def test_steps_up_are_single_and_a_cool_down_apart(waits):
    clock = FixedClock(0)
    pressure = Pressure(clock, LIMIT_MS, COOL_DOWN_S)
    last_step_s, tier = 0.0, pressure.tier
    for wait_ms, turns in waits:
        for _ in range(turns):
            clock.seconds += 0.01
            pressure.observe(wait_ms)
            if pressure.tier is tier:
                continue
            if TIERS.index(pressure.tier) < TIERS.index(tier):
                assert TIERS.index(tier) - TIERS.index(pressure.tier) == 1
                assert clock.seconds - last_step_s >= COOL_DOWN_S - 1e-6
            last_step_s, tier = clock.seconds, pressure.tier
