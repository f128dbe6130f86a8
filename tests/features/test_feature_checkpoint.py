"""Checkpoints on a real disk: whole, or not read at all."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue, stories, tell
from laws.feature_worlds import SETTINGS, World
from playbill.features import (
    MemoryUserState,
    NoCheckpoint,
    checkpoint,
    load_checkpoint,
    save_checkpoint,
    state_digest,
)
from playbill.features.checkpoint import CHECKPOINT_FILE


def _saved(folder) -> World:
    world = World(folder)
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0", region="north"))
    world.step()
    world.updater.checkpoint()
    return world


@law(15)
@given(story=stories())
def test_a_checkpoint_comes_back_bit_for_bit(story, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    world = World(folder)
    tell(world, story)
    world.updater.checkpoint()
    loaded = load_checkpoint(folder, SETTINGS)
    assert state_digest(loaded) == state_digest(world.state)
    keys = world.state.items.used()["key"].copy()
    assert loaded.items.rows(keys).tolist() == list(range(len(keys)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    world = _saved(folder)
    return folder, (folder / CHECKPOINT_FILE).read_bytes(), state_digest(world.state)


@law(200)
@given(
    where=st.floats(0.0, 1.0) | st.integers(-1_500, -1) | st.integers(0, 400),
    mask=st.sampled_from([0x01, 0x20, 0x80, 0xFF]),
)
def test_one_altered_byte_is_either_harmless_or_the_checkpoint_is_not_read(saved, where, mask):
    folder, data, digest = saved
    place = int(where * (len(data) - 1)) if isinstance(where, float) else where % len(data)
    altered = bytearray(data)
    altered[place] ^= mask
    (folder / CHECKPOINT_FILE).write_bytes(altered)
    loaded = load_checkpoint(folder, SETTINGS)
    assert isinstance(loaded, NoCheckpoint) or state_digest(loaded) == digest


def test_bytes_of_a_header_that_shorten_what_is_read_are_noticed(saved):
    """NumPy reads as many bytes as a header says, so a checksum at the end is not reached."""
    folder, data, _ = saved
    shape = data.index(b"'shape': (3, 4096)")
    (folder / CHECKPOINT_FILE).write_bytes(
        data[:shape] + b"'shape': (2, 4096)" + data[shape + 18 :]
    )
    assert isinstance(load_checkpoint(folder, SETTINGS), NoCheckpoint)


@law(60)
@given(share=st.floats(0.0, 0.999))
def test_a_truncated_checkpoint_is_not_read(saved, share):
    folder, data, _ = saved
    (folder / CHECKPOINT_FILE).write_bytes(data[: int(len(data) * share)])
    assert isinstance(load_checkpoint(folder, SETTINGS), NoCheckpoint)


def test_no_checkpoint_is_no_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nothing"):
        assert load_checkpoint(folder, SETTINGS) == NoCheckpoint("there is no checkpoint")


def test_a_checkpoint_that_is_of_no_use_says_why(tmp_path, monkeypatch):
    world = _saved(tmp_path)
    file = tmp_path / CHECKPOINT_FILE
    data = file.read_bytes()
    three = msgspec.structs.replace(SETTINGS, regions=("north", "south", "east"))
    assert "2 regions; 3 are declared" in load_checkpoint(tmp_path, three).why
    with monkeypatch.context() as other:
        other.setattr(checkpoint, "features_digest", lambda: "sha256:of other definitions")
        assert "other feature definitions" in load_checkpoint(tmp_path, SETTINGS).why
    place = data.index(world.state.items.used()[:1].tobytes()[:8])
    file.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    assert "items.npy was altered" in load_checkpoint(tmp_path, SETTINGS).why
    file.write_bytes(data[:100])
    assert "cannot be read: File is not a zip file" in load_checkpoint(tmp_path, SETTINGS).why
    file.write_bytes(b"")
    assert "cannot be read: File is not a zip file" in load_checkpoint(tmp_path, SETTINGS).why


def test_a_recovery_from_the_beginning_says_why_and_any_other_says_nothing(tmp_path):
    said = []
    World(tmp_path).updater.recover(explain=said.append)
    world = _saved(tmp_path)
    world.start().recover(explain=said.append)
    assert said == []
    world.users = MemoryUserState()
    world.start().recover(explain=said.append)
    assert said.pop() == (
        "the checkpoint stands at epoch 2, the user store at 0; 2 epochs are folded from the "
        "beginning"
    )
    (tmp_path / CHECKPOINT_FILE).unlink()
    world.start().recover(explain=said.append)
    assert said == ["there is no checkpoint; 2 epochs are folded from the beginning"]


def test_a_disk_that_refuses_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    world = _saved(tmp_path)
    digest = state_digest(world.state)
    world.act(world.event("click", "ann", "v1"))
    world.step()

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playbill.features.checkpoint._PIECE_BYTES", 1_000)
    with monkeypatch.context() as disk:
        disk.setattr("playbill.features.checkpoint.os.fdatasync", full)
        with pytest.raises(OSError, match="No space left"):
            world.updater.checkpoint()
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]
    assert state_digest(load_checkpoint(tmp_path, SETTINGS)) == digest


def test_a_crash_half_way_leaves_the_checkpoint_before(tmp_path):
    world = _saved(tmp_path)
    (tmp_path / (CHECKPOINT_FILE + ".draft")).write_bytes(b"half of it")
    assert state_digest(load_checkpoint(tmp_path, SETTINGS)) == state_digest(world.state)
    save_checkpoint(tmp_path, world.state)
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]


def test_a_file_that_is_no_checkpoint_is_not_read(tmp_path):
    np.savez(tmp_path / CHECKPOINT_FILE, something=np.arange(3))
    assert isinstance(load_checkpoint(tmp_path, SETTINGS), NoCheckpoint)
    head = np.frombuffer(b'{"epoch": "one"}', np.uint8)
    arrays = dict.fromkeys(checkpoint._ARRAYS, np.arange(3)) | {"head": head}
    np.savez(tmp_path / CHECKPOINT_FILE, **arrays)
    assert isinstance(load_checkpoint(tmp_path, SETTINGS), NoCheckpoint)
