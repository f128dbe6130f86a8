"""Epochs of a backlog take about a quarter of a second, whatever the machine."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue
from laws.feature_worlds import SETTINGS, World
from playbill.contracts import EpochSettings
from playbill.features import MemoryUserState
from playbill.features.pace import Pace


@pytest.mark.parametrize("per_s", [20_000, 40_000, 300_000])
def test_an_epoch_holds_what_a_quarter_of_a_second_folds(per_s):
    pace, folded = Pace(200_000), []
    for _ in range(12):
        folded.append(pace.room_records())
        pace.folded(folded[-1], folded[-1] / per_s)
    assert folded[0] == 20_000
    assert folded[-1] == pytest.approx(per_s / 4, rel=0.01)


def test_it_follows_a_machine_that_becomes_slower():
    pace = Pace(200_000)
    pace.folded(20_000, 0.2)
    fast = pace.room_records()
    for _ in range(8):
        pace.folded(20_000, 1.0)
    assert fast == 25_000
    assert pace.room_records() == pytest.approx(5_000, rel=0.05)


@law(100)
@given(
    most=st.integers(1, 300_000),
    epochs=st.lists(st.tuples(st.integers(0, 300_000), st.floats(0.0, 1e4)), max_size=8),
)
def test_it_is_never_less_than_a_few_thousand_nor_more_than_allowed(most, epochs):
    pace = Pace(most)
    for records, seconds in epochs:
        pace.folded(records, seconds)
        assert min(most, 4_000) <= pace.room_records() <= most


def test_small_epochs_say_nothing_of_the_pace():
    pace = Pace(200_000)
    pace.folded(999, 100.0)
    pace.folded(5_000, 0.0)
    assert pace.room_records() == 20_000


class SlowUsers(MemoryUserState):
    """A store whose commits take two seconds of a clock, once it has one."""

    clock = None

    def commit(self, epoch, rows, texts):
        if self.clock is not None:
            self.clock.advance(2_000)
        super().commit(epoch, rows, texts)


def test_the_updater_makes_epochs_smaller_where_they_take_long_and_says_that_more_waits():
    users = SlowUsers()
    world = World(settings=msgspec.structs.replace(SETTINGS, epochs=EpochSettings()), users=users)
    open_catalogue(world)
    users.clock = world.clock
    world.act(*(world.event("click", "ann", f"v{n % 7}") for n in range(1_500)))
    assert not world.step(0).more
    for _ in range(4):
        world.act(*(world.event("click", "ann", f"v{n % 7}") for n in range(1_500)))
    taken = []
    while (report := world.step(0)) is not None:
        taken.append((report.events, report.more))
    assert taken == [(4_500, True), (1_500, False)]
    world.assert_replay_is_live()
