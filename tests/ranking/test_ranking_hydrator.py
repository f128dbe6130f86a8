"""Features under the sequence lock: of one epoch, or said to be otherwise."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from laws.feature_stories import open_catalogue
from laws.feature_views import NOW_MS, item_view
from laws.feature_worlds import MemoryItems, World
from laws.ranking_worlds import TickingClock, candidates, request, shared_of
from playbill.core import HOUR_MS, FixedClock
from playbill.features import FEATURE_NAMES, Assembler, empty_user
from playbill.features.adapters.shared_items import SharedItems
from playbill.ranking import Hydrator
from playbill.retrieval import view_of


@dataclass
class Scripted:
    """Item state whose sequence numbers are told one by one; the last one stays.

    ``at_look`` is called with how often the number was looked at.
    """

    below: MemoryItems
    numbers: list[int]
    at_look: Callable[[int], None] = lambda looks: None
    looks: int = 0

    def __getattr__(self, name):
        return getattr(self.below, name)

    def sequence(self) -> int:
        self.at_look(self.looks)
        number = self.numbers[min(self.looks, len(self.numbers) - 1)]
        self.looks += 1
        return number


def _scripted(numbers, **script) -> Scripted:
    return Scripted(shared_of(item_view(6)), numbers, **script)


def _fill(shared, clock=None, **asked):
    return Hydrator(shared, clock or TickingClock()).fill(request(**asked), candidates(6))


def test_state_that_stands_still_is_read_once_and_settled():
    shared = _scripted([4])
    hydrated = _fill(shared)
    assert (hydrated.settled, hydrated.item_epoch, shared.looks) == (True, 1, 2)
    assert hydrated.features.shape == (6, len(FEATURE_NAMES))


def test_what_moved_during_the_reading_is_read_again():
    shared = _scripted([4, 6, 6, 6])
    assert _fill(shared).settled
    assert shared.looks == 4


def test_an_epoch_half_written_is_waited_for():
    shared = _scripted([5, 5, 5, 6, 6])
    assert _fill(shared).settled
    assert shared.looks == 5


def test_after_three_milliseconds_of_an_odd_number_it_reads_on_and_says_so():
    clock = TickingClock()
    hydrated = _fill(_scripted([5]), clock)
    assert not hydrated.settled
    assert hydrated.features.shape == (6, len(FEATURE_NAMES))
    assert 0.003 < clock.seconds < 0.004


def test_state_that_never_stands_still_is_read_and_said_to_have_moved():
    clock = TickingClock()
    hydrated = _fill(_scripted(list(range(0, 1_000, 2))), clock)
    assert not hydrated.settled
    assert clock.seconds < 0.004


def test_item_state_behind_the_viewers_row_is_waited_for():
    def catch_up(looks):
        if looks == 3:
            shared.below.header["epoch"] = 9

    shared = _scripted([4], at_look=catch_up)
    hydrated = _fill(shared, user_epoch=9)
    assert (hydrated.settled, hydrated.item_epoch) == (True, 9)


def test_item_state_that_stays_behind_is_read_and_not_called_settled():
    hydrated = _fill(_scripted([4]), user_epoch=9)
    assert (hydrated.settled, hydrated.item_epoch) == (False, 1)


@pytest.mark.parametrize(
    ("asked_ms", "epoch_ms", "last_ms", "read_ms"),
    [
        (NOW_MS, NOW_MS - 5, NOW_MS - 9, NOW_MS),
        (NOW_MS, NOW_MS + 5, 0, NOW_MS + 5),
        (NOW_MS, NOW_MS - 5, NOW_MS + 9, NOW_MS + 9),
    ],
)
def test_features_are_never_read_before_what_they_are_made_of(asked_ms, epoch_ms, last_ms, read_ms):
    shared = _scripted([4])
    shared.below.header["at_ms"] = epoch_ms
    user = empty_user()
    user["last_at_ms"] = last_ms
    asked = request(at_ms=asked_ms, user=user)
    assert Hydrator(shared, TickingClock()).fill(asked, candidates(6)).at_ms == read_ms


def test_features_are_those_of_the_epoch_that_is_named():
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"))
    world.step()
    shared, user = world.items, world.viewer("ann")
    asked = request(user=user, at_ms=world.state.at_ms + HOUR_MS, user_epoch=2)
    hydrated = Hydrator(shared, FixedClock(0)).fill(asked, candidates(8))
    view = view_of(shared)
    expected = Assembler().read(view.tables, np.arange(8), user, hydrated.at_ms)
    assert hydrated.features.tobytes() == expected.tobytes()
    assert (hydrated.settled, hydrated.item_epoch) == (True, 2)


@dataclass
class Writer:
    """A thread that publishes an epoch after the other, each with one number in every video."""

    shared: SharedItems
    stop: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0

    def run(self) -> None:
        head = self.shared.header[0]
        while not self.stop.is_set():
            self.rounds += 1
            head["sequence"] |= np.uint64(1)
            self.shared.items["duration_ms"][:200] = self.rounds * 1_000
            head["epoch"] = self.rounds
            head["sequence"] += np.uint64(1)
            self.stop.wait(0.0001)


def test_beside_a_writer_that_never_rests_a_settled_reading_is_of_one_epoch(tmp_path):
    """Every video plays as many seconds as the epoch has its number; log1p tells them apart."""
    sizes = {"item_capacity": 256, "group_capacity": 256, "regions": 1}
    writer = Writer(SharedItems(tmp_path / "items.state", **sizes, create=True))
    reader = SharedItems(tmp_path / "items.state", **sizes, create=False)
    writer.shared.items["author"][:200] = 0
    writer.shared.header["items"], writer.shared.header["authors"] = 200, 1
    hydrator, duration = Hydrator(reader, TickingClock()), FEATURE_NAMES.index("item_duration")
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        settled = 0
        for _ in range(20_000):
            hydrated = hydrator.fill(request(), candidates(200))
            if hydrated.settled:
                settled += 1
                expected = np.float32(np.log1p(hydrated.item_epoch))
                column = hydrated.features[:, duration]
                assert (column == column[0]).all()
                assert column[0] == pytest.approx(expected, rel=1e-6)
            if settled >= 100 and writer.rounds >= 100:
                break
    finally:
        writer.stop.set()
        thread.join()
    assert settled >= 100
    writer.shared.close()
    reader.close()
