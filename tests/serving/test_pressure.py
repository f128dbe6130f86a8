"""A worker under pressure does less for each feed, and more again when it is over."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import Priority, Tier
from playbill.core import FixedClock
from playbill.serving.pressure import Pressure

TIERS = [Tier.FULL, Tier.LIGHT, Tier.CACHED, Tier.POPULAR, Tier.STATIC]
LIMIT_MS, COOL_DOWN_S = 20.0, 2.0


PEOPLE, OTHERS = Priority.INTERACTIVE, Priority.PREFETCH


def _observe(pressure: Pressure, wait_ms: float) -> None:
    """Observe a wait in which people queued, each for five milliseconds."""
    feeds = max(2, math.ceil(wait_ms / 5.0))
    for _ in range(feeds):
        pressure.answered(PEOPLE, wait_ms / feeds)
    pressure.observe(wait_ms)


def _feel(pressure: Pressure, clock: FixedClock, wait_ms: float, seconds: float) -> list[Tier]:
    """Observe a wait every 10 ms; return the tiers in the order in which they came."""
    met = [pressure.tier]
    for _ in range(round(seconds * 100)):
        clock.seconds += 0.01
        _observe(pressure, wait_ms)
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
    _observe(pressure, 40.0)
    assert pressure.tier is Tier.FULL
    _observe(pressure, 400.0)
    assert pressure.tier is Tier.STATIC


def test_it_comes_back_one_tier_a_cool_down(pressure, clock):
    _feel(pressure, clock, 500.0, 1.0)
    assert _feel(pressure, clock, 0.0, 1.9) == [Tier.STATIC]
    assert _feel(pressure, clock, 0.0, 10.0) == TIERS[::-1]


def _trials(pressure: Pressure, clock: FixedClock, seconds: float, wait_ms_of) -> list[float]:
    """Return when a light feed was tried, where each tier makes things wait so long."""
    found, tier, start_s = [], pressure.tier, clock.seconds
    for _ in range(round(seconds * 100)):
        clock.seconds += 0.01
        _observe(pressure, wait_ms_of(pressure.tier))
        if pressure.tier is Tier.LIGHT and tier is not Tier.LIGHT:
            found.append(clock.seconds - start_s)
        tier = pressure.tier
    return found


def _overload(tier: Tier) -> float:
    """Only the last list is cheap enough."""
    return 25.0 if tier in (Tier.FULL, Tier.LIGHT) else 0.0


def test_a_step_up_that_does_not_hold_is_tried_ever_less_often(pressure, clock):
    _feel(pressure, clock, 50.0, 1.0)
    assert pressure.tier is Tier.CACHED
    tried = _trials(pressure, clock, 100.0, _overload)
    apart = [b - a for a, b in pairwise(tried)]
    assert apart[:3] == pytest.approx([4.0, 8.0, 16.0], abs=1.0)
    assert apart[3:] == pytest.approx([16.0] * len(apart[3:]), abs=1.0)
    assert len(apart) > 4


def test_after_the_overload_it_comes_back_to_full_and_is_as_quick_as_ever_the_next_time(
    pressure, clock
):
    _feel(pressure, clock, 50.0, 1.0)
    _trials(pressure, clock, 60.0, _overload)
    assert _feel(pressure, clock, 0.0, 16.0 + 2 * COOL_DOWN_S)[-1] is Tier.FULL
    _feel(pressure, clock, 0.0, COOL_DOWN_S)
    _feel(pressure, clock, 50.0, 1.0)
    assert _feel(pressure, clock, 0.0, 3 * COOL_DOWN_S)[-1] is Tier.FULL


def test_a_trial_that_fails_goes_back_to_where_it_came_from_at_once(pressure, clock):
    _feel(pressure, clock, 50.0, 1.0)
    while pressure.tier is Tier.CACHED:
        clock.seconds += 0.01
        _observe(pressure, 0.0)
    assert pressure.tier is Tier.LIGHT
    assert _feel(pressure, clock, 25.0, 1.0) == [Tier.LIGHT, Tier.CACHED]


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
            _observe(pressure, wait_ms)
            if pressure.tier is tier:
                continue
            if TIERS.index(pressure.tier) < TIERS.index(tier):
                assert TIERS.index(tier) - TIERS.index(pressure.tier) == 1
                assert clock.seconds - last_step_s >= COOL_DOWN_S - 1e-6
            last_step_s, tier = clock.seconds, pressure.tier


def test_a_wait_in_which_no_two_feeds_were_answered_is_no_queue(pressure, clock):
    for _ in range(300):
        clock.seconds += 0.01
        pressure.answered(PEOPLE, 100.0)
        pressure.observe(100.0)
    assert (pressure.tier, pressure.prefetch_tier) == (Tier.FULL, Tier.FULL)


def test_where_feeds_take_long_few_of_them_are_a_queue(pressure, clock):
    for _ in range(300):
        clock.seconds += 0.01
        pressure.answered(PEOPLE, 40.0)
    pressure.observe(0.0)
    for _ in range(3):
        pressure.answered(PEOPLE, 40.0)
    pressure.observe(200.0)
    assert pressure.tier is Tier.STATIC


def test_a_stall_that_few_feeds_shared_is_no_queue_and_a_crawl_that_many_share_is(pressure):
    for _ in range(3):
        pressure.answered(PEOPLE, 2.0)
    pressure.observe(500.0)
    assert pressure.tier is Tier.FULL
    for _ in range(20):
        pressure.answered(PEOPLE, 25.0)
    pressure.observe(500.0)
    assert pressure.tier is Tier.STATIC


@pytest.mark.parametrize(
    ("wait_ms", "prefetch", "people"),
    [(9, "full", "full"), (15, "light", "full"), (21, None, "light"), (500, None, "static")],
)
def test_prefetches_get_less_before_people_do(pressure, clock, wait_ms, prefetch, people):
    _feel(pressure, clock, wait_ms, 2.0)
    found = pressure.prefetch_tier
    assert (found and found.value, pressure.tier.value) == (prefetch, people)


TURN_MS = 10.0
turns = st.lists(
    st.tuples(
        st.lists(st.floats(0.0, 30.0), max_size=8),
        st.lists(st.floats(0.0, 30.0), max_size=8),
        st.integers(1, 60),
    ),
    max_size=10,
)


def _late_ms(*feeds_ms: list[float]) -> float:
    """Return how late a loop comes to what is due in ten milliseconds after some feeds."""
    return max(sum(map(sum, feeds_ms)) - TURN_MS, 0.0)


@law(100)
@given(turns=turns)
def test_prefetches_never_move_the_tier_of_people(turns):
    """The same feeds of people, with and without prefetches between them."""
    clock = FixedClock(0)
    with_them, without = (Pressure(clock, LIMIT_MS, COOL_DOWN_S) for _ in range(2))
    for people_ms, others_ms, times in turns:
        for _ in range(times):
            clock.seconds += 0.01
            for ms in people_ms:
                with_them.answered(PEOPLE, ms)
                without.answered(PEOPLE, ms)
            for ms in others_ms:
                with_them.answered(OTHERS, ms)
            with_them.observe(_late_ms(people_ms, others_ms))
            without.observe(_late_ms(people_ms))
            assert with_them.tier is without.tier
            if with_them.tier is not Tier.FULL:
                assert with_them.prefetch_tier is None


def test_prefetches_in_the_middle_of_a_turn_are_not_counted_as_people_s_waiting(clock):
    with_them = Pressure(clock, LIMIT_MS, COOL_DOWN_S)
    with_them.turn(clock.seconds)
    for _ in range(2):
        with_them.answered(PEOPLE, 1.0)
    for _ in range(20):
        clock.seconds += 0.021
        with_them.answered(OTHERS, 21.0)
        assert with_them.late(clock.seconds)
        assert with_them.tier is Tier.FULL
    assert with_them.prefetch_tier is None


@law(50)
@given(turns=turns)
def test_prefetches_come_back_when_nothing_waits(turns):
    clock = FixedClock(0)
    pressure = Pressure(clock, LIMIT_MS, COOL_DOWN_S)
    for people_ms, others_ms, _ in turns:
        clock.seconds += 0.01
        for ms in others_ms:
            pressure.answered(OTHERS, ms)
        pressure.observe(_late_ms(people_ms, others_ms))
    _feel(pressure, clock, 0.0, 30.0)
    assert pressure.prefetch_tier is Tier.FULL
