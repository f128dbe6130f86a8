"""Between requests: a heart that nothing stops, and bundles that are refused aloud."""

import asyncio
import itertools
import shutil

import pytest

from playbill.app import layout
from playbill.app.attempts import Attempts
from playbill.app.verbs import Home
from playbill.app.watcher import Watcher
from playbill.core import BrokenContract, FixedClock
from playbill.features import FeatureState
from playbill.serving import Board

NOBODY = "sha256:" + "0" * 64


class Ticking(FixedClock):
    """A clock whose elapsed time a test moves."""

    at_s = 100.0

    def elapsed_s(self):
        return self.at_s


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path / "board", create=True)


@pytest.fixture
def watcher(tmp_path, monkeypatch, board):
    """A watcher over a home that has no state, no store and no bundle yet."""
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")
    wiring = Home(tmp_path / "home").wiring
    wiring.layout.make()
    collector = wiring.collector("serve-2")
    yield Watcher(wiring, collector, board, board.row(2), 2)
    collector.close()


def beats(watcher, count):
    """Let the heart beat, each time with everything due."""

    async def beat():
        for _ in range(count):
            watcher._lists_at_s = watcher._files_at_s = 0.0
            watcher.beat()
            await watcher._loading

    asyncio.run(beat())


def point_at(watcher, digest):
    watcher._store._folder.mkdir(exist_ok=True)
    (watcher._store._folder / "champion").write_text(digest)


def test_a_part_that_breaks_is_counted_each_time_and_logged_once_a_second(board, caplog):
    clock = Ticking(0)
    attempts = Attempts(board.row(0), clock)

    def breaks():
        raise ValueError("something of a viewer")

    for clock.at_s in (100.0, 100.4, 100.9, 101.0, 101.5):
        attempts.do("counting", breaks)
        attempts.do("sampling", breaks)
        attempts.do("fine", lambda: None)
    assert board.total("errors") == 10
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "counting broke",
        "sampling broke",
    ] * 2
    assert "viewer" not in caplog.text


@pytest.mark.parametrize("error", [ValueError("no"), BrokenContract("torn"), OSError(5, "no")])
def test_a_part_that_breaks_stops_neither_the_heart_nor_the_other_parts(watcher, board, error):
    did = []

    def breaks():
        raise error

    watcher.users.refresh = watcher.status.sample = breaks
    watcher._map_items = lambda: did.append("items")
    before_s = float(board.rows["beat_s"][2])
    beats(watcher, 3)
    watcher.beat_lightly()
    assert float(board.rows["beat_s"][2]) > before_s
    assert did == ["items"] * 4
    assert board.total("errors") == 8


def test_why_a_bundle_is_refused_is_logged_once(watcher, board, caplog):
    point_at(watcher, NOBODY)
    for _ in range(3):
        watcher._refused_until_s = 0.0
        beats(watcher, 1)
    assert board.total("errors") == 3
    (line,) = caplog.messages
    assert line.startswith(f"{NOBODY} is not loaded: bundle 0000000000000000 is not served: ")
    assert "train again or restore the bundle" in line
    point_at(watcher, NOBODY[:-1] + "1")
    beats(watcher, 1)
    assert len(caplog.messages) == 2


def test_a_pointer_that_cannot_be_read_changes_nothing_and_is_logged_once(watcher, caplog):
    (watcher._store._folder / "champion").mkdir(parents=True)
    watcher._state.bundle = "the last good one"
    beats(watcher, 3)
    assert watcher._state.bundle == "the last good one"
    (line,) = caplog.messages
    assert line.startswith("the champion is not loaded: the pointer to the champion cannot be read")


def test_a_bundle_that_breaks_its_loading_is_refused_too(watcher, monkeypatch, caplog):
    def breaks(digest, again):
        raise KeyError("weights")

    monkeypatch.setattr(watcher, "_open", breaks)
    point_at(watcher, NOBODY)
    beats(watcher, 3)
    assert watcher._state.why_no_pipeline == "bundle_refused"
    (line,) = caplog.messages
    assert line.startswith(f"loading {NOBODY} broke: KeyError at ")


def test_without_a_pointer_there_is_nothing_to_say(watcher, caplog, tmp_path):
    shutil.rmtree(tmp_path / "home" / "bundles", ignore_errors=True)
    beats(watcher, 2)
    assert caplog.messages == []
    assert watcher._state.why_no_pipeline == "no_bundle"


def test_records_of_feeds_are_sent_twenty_times_a_second(watcher, monkeypatch):
    sent, clock = [], Ticking(0)
    monkeypatch.setattr(watcher, "_clock", clock)
    monkeypatch.setattr(watcher.service, "flush", lambda: sent.append(clock.at_s))
    for turn in range(100):
        clock.at_s = 100.0 + turn / 100.0
        watcher.feel(0.0)
    assert len(sent) == pytest.approx(20, abs=4)
    assert min(b - a for a, b in itertools.pairwise(sent)) >= 0.05 - 1e-9


def test_a_new_file_of_item_state_is_taken_once_there_is_something_in_it(watcher):
    wiring = watcher._wiring
    state = FeatureState.empty(wiring.settings)
    state.epoch = 5
    first = wiring.items(create=True)
    first.publish_all(state)
    watcher._map_items()
    before = watcher._items
    assert before.inode == first.inode
    wiring.layout.item_state.unlink()
    second = wiring.items(create=True)
    watcher._map_items()
    assert watcher._items is before, "an empty file would empty every feed"
    second.publish_all(state)
    watcher._map_items()
    assert watcher._state.shared.inode == second.inode
