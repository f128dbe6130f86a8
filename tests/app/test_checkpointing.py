"""Checkpoints beside the fold: of the moment they began, in place once what they build on is."""

import time

import numpy as np
import pytest

from laws.feature_stories import open_catalogue
from laws.feature_worlds import SETTINGS, World
from playbill.app.checkpointing import Checkpoints
from playbill.features import NoCheckpoint, load_checkpoint, state_digest
from playbill.features.checkpoint import CHECKPOINT_FILE


class Counting:
    """A row of the board that counts."""

    def __init__(self):
        self.errors = 0

    def add(self, counter, amount=1):
        assert counter == "errors"
        self.errors += amount


class Rows:
    """A user store that reaches the disk when it is told to."""

    def __init__(self, *, reached=True):
        self.reached, self.asked = reached, []

    def last_commit(self):
        return 7

    def on_disk(self, commit):
        self.asked.append(commit)
        return self.reached


class FullDisk:
    """An updater whose checkpoints are refused while ``full``."""

    full = True

    def __init__(self, checkpoints):
        self.checkpoints = checkpoints

    def checkpoint(self, folder=None, rest=None):
        if self.full:
            raise OSError(28, "No space left on device")
        (folder or self.checkpoints).mkdir(exist_ok=True)
        ((folder or self.checkpoints) / CHECKPOINT_FILE).write_bytes(b"whole")


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    open_catalogue(world)
    world.step()
    return world


def _ended(checkpoints):
    until_s = time.monotonic() + 30.0
    while not checkpoints.look():
        assert time.monotonic() < until_s


def test_a_checkpoint_is_of_the_moment_at_which_it_began(world, tmp_path):
    checkpoints = Checkpoints(world.updater, Rows(), Counting())
    stood = state_digest(world.state)
    checkpoints.begin()
    world.act(world.event("click", "ann", "v0", region="north"))
    world.step()
    assert state_digest(world.state) != stood
    _ended(checkpoints)
    assert state_digest(load_checkpoint(tmp_path, SETTINGS)) == stood


def test_a_checkpoint_waits_for_the_rows_that_it_builds_on(world, tmp_path):
    rows = Rows(reached=False)
    checkpoints = Checkpoints(world.updater, rows, Counting())
    checkpoints.begin()
    until_s = time.monotonic() + 30.0
    while not rows.asked:
        assert not checkpoints.look()
        assert time.monotonic() < until_s
    assert isinstance(load_checkpoint(tmp_path, SETTINGS), NoCheckpoint)
    checkpoints.begin()
    assert not checkpoints.look()
    rows.reached = True
    assert checkpoints.look()
    assert state_digest(load_checkpoint(tmp_path, SETTINGS)) == state_digest(world.state)
    assert set(rows.asked) == {7}


def test_a_last_checkpoint_does_not_wait_for_the_one_under_way(world, tmp_path):
    checkpoints = Checkpoints(world.updater, Rows(reached=False), Counting())
    checkpoints.begin()
    world.act(world.event("click", "ann", "v0", region="north"))
    world.step()
    checkpoints.write()
    assert checkpoints.look()
    assert state_digest(load_checkpoint(tmp_path, SETTINGS)) == state_digest(world.state)


@pytest.mark.parametrize("beside", [False, True])
def test_a_disk_that_refuses_checkpoints_is_counted_each_time_and_named_once(
    tmp_path, capsys, beside
):
    updater, row = FullDisk(tmp_path), Counting()
    checkpoints = Checkpoints(updater, Rows(), row)

    def write():
        if beside:
            checkpoints.begin()
            _ended(checkpoints)
        else:
            checkpoints.write()

    for _ in range(3):
        write()
    assert row.errors == 3
    assert capsys.readouterr().err.count("no checkpoint was written: No space left") == 1
    updater.full = False
    write()
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == b"whole"
    updater.full = True
    write()
    assert (row.errors, capsys.readouterr().err.count("No space left")) == (4, 1)


def test_a_large_state_comes_back_from_pieces(world, tmp_path, monkeypatch):
    monkeypatch.setattr("playbill.features.checkpoint._PIECE_BYTES", 1_000)
    world.updater.checkpoint()
    loaded = load_checkpoint(tmp_path, SETTINGS)
    assert state_digest(loaded) == state_digest(world.state)
    assert np.array_equal(loaded.items.used(), world.state.items.used())


def test_whoever_writes_beside_others_rests_after_each_piece(world, tmp_path, monkeypatch):
    monkeypatch.setattr("playbill.features.checkpoint._PIECE_BYTES", 1_000)
    rests = []
    world.updater.checkpoint(tmp_path / "aside", lambda: rests.append(None))
    assert len(rests) >= len(world.state.items.used().tobytes()) // 1_000 > 0
    assert state_digest(load_checkpoint(tmp_path / "aside", SETTINGS)) == state_digest(world.state)
