"""What a power cut leaves of the user store: the last commit known to be on the disk, whole."""

import contextlib
import mmap
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.core import BrokenContract, DependencyUnavailable
from playbill.features.adapters import lmdb_disk
from playbill.features.adapters.lmdb_users import LmdbUserState

PAGE = mmap.PAGESIZE
ROW = 1_160
BEFORE, AFTER = "the boot before the cut", "the boot after it"


def _opened(folder, boot=BEFORE):
    return LmdbUserState(folder, map_gib=1, writer=True, boot=boot)


def _ann(folder, boot=BEFORE):
    """Return what the store says of one viewer, opened and closed."""
    with contextlib.closing(_opened(folder, boot)) as store:
        return store.read(b"ann")


def _reaches_the_disk(store):
    """Wait until everything committed so far is on the disk."""
    while not store.on_disk(store.last_commit()):
        continue


def _pages(path):
    data = path.read_bytes()
    return np.frombuffer(data + bytes(-len(data) % PAGE), np.uint8).reshape(-1, PAGE)


def _cut(folder, synced, random, target):
    """Copy a store as a power cut leaves it: any of the pages since the last synchronisation."""
    target.mkdir()
    now = _pages(folder / "data.mdb")
    disk = np.zeros_like(now)
    disk[: len(synced)] = synced
    written = random.random(len(now)) < random.random()
    disk[written] = now[written]
    (target / "data.mdb").write_bytes(disk.tobytes())
    shutil.copy(folder / lmdb_disk.POINT_FILE, target)


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory):
    return tmp_path_factory.mktemp("stores")


@law(60)
@given(
    commits=st.lists(st.tuples(st.integers(1, 120), st.booleans()), min_size=2, max_size=14),
    seed=st.integers(0, 1 << 30),
)
def test_a_power_cut_leaves_the_last_commit_that_was_on_the_disk(commits, seed, somewhere):
    random = np.random.default_rng(seed)
    folder, target = somewhere / "home", somewhere / "after"
    for one in (folder, target):
        shutil.rmtree(one, ignore_errors=True)
    store = _opened(folder)
    store.commit(1, {b"%016d" % n: bytes(ROW) for n in range(300)}, {})
    rows = dict(store.rows())
    on_disk, synced, durable = {}, np.empty((0, PAGE), np.uint8), 0
    for epoch, (count, reaches) in enumerate(commits, start=2):
        changed = {b"%016d" % n: random.bytes(ROW) for n in random.choice(400, count)}
        store.commit(epoch, changed, {b"text": b"%d" % epoch})
        rows |= changed
        if reaches:
            _reaches_the_disk(store)
            on_disk, synced, durable = dict(rows), _pages(folder / "data.mdb").copy(), epoch
    if not durable:
        _reaches_the_disk(store)
        on_disk, synced, durable = dict(rows), _pages(folder / "data.mdb").copy(), epoch
    _cut(folder, synced, random, target)
    store.close()

    after = _opened(target, AFTER)
    assert after.epoch() == durable
    assert dict(after.rows()) == on_disk
    assert after.texts([b"text"]) == [b"%d" % durable]
    after.commit(durable + 1, rows, {})
    assert dict(after.rows()) == on_disk | rows
    after.close()


def test_a_process_that_dies_loses_nothing_while_the_machine_runs(tmp_path):
    store = _opened(tmp_path / "users")
    _reaches_the_disk(store)
    store.commit(1, {b"ann": b"1"}, {})
    shutil.copytree(tmp_path / "users", tmp_path / "of the dead", ignore=lambda *_: ["lock.mdb"])
    store.close()
    assert _ann(tmp_path / "of the dead") == (b"1", 1)


@pytest.mark.parametrize("boot", [BEFORE, AFTER])
def test_a_store_that_was_closed_is_all_on_the_disk(tmp_path, boot):
    store = _opened(tmp_path / "users")
    store.commit(1, {b"ann": b"1"}, {})
    store.close()
    assert not (tmp_path / "users" / lmdb_disk.POINT_FILE).exists()
    assert _ann(tmp_path / "users", boot) == (b"1", 1)


def test_what_is_committed_reaches_the_disk_by_itself_once_it_is_much(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_disk, "_SYNC_ROWS", 10)
    monkeypatch.setattr(lmdb_disk, "_MOST_ROWS", 20)
    store = _opened(tmp_path / "users")
    first = (tmp_path / "users" / lmdb_disk.POINT_FILE).read_bytes()
    for epoch in range(1, 8):
        store.commit(epoch, {b"%d" % n: b"1" for n in range(9)}, {})
    assert (tmp_path / "users" / lmdb_disk.POINT_FILE).read_bytes() != first
    store.close()


@pytest.mark.parametrize("damage", [b"", b"\x00", b"no point"])
def test_a_point_that_cannot_be_read_is_passed_over(tmp_path, damage):
    store = _opened(tmp_path / "users")
    store.commit(1, {b"ann": b"1"}, {})
    store.close()
    (tmp_path / "users" / lmdb_disk.POINT_FILE).write_bytes(damage)
    assert _ann(tmp_path / "users", AFTER) == (b"1", 1)


def test_a_point_of_a_file_that_was_removed_is_passed_over(tmp_path):
    store = _opened(tmp_path / "users")
    store.commit(1, {b"%d" % n: bytes(ROW) for n in range(100)}, {})
    _reaches_the_disk(store)
    point = (tmp_path / "users" / lmdb_disk.POINT_FILE).read_bytes()
    store.close()
    (tmp_path / "users" / "data.mdb").unlink()
    (tmp_path / "users" / lmdb_disk.POINT_FILE).write_bytes(point)
    assert _ann(tmp_path / "users", AFTER) == (None, 0)
    with contextlib.closing(_opened(tmp_path / "users")) as anew:
        anew.commit(1, {b"ann": b"1"}, {})
    (tmp_path / "users" / lmdb_disk.POINT_FILE).write_bytes(point)
    assert _ann(tmp_path / "users", AFTER) == (b"1", 1)


def test_a_disk_that_refuses_is_told_as_the_port_says(tmp_path, monkeypatch):
    store = _opened(tmp_path / "users")
    store.commit(1, {b"ann": b"1"}, {})

    def refuse(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(lmdb_disk.os, "fdatasync", refuse)
    with pytest.raises(DependencyUnavailable, match="cannot be used: Input/output error"):
        _reaches_the_disk(store)
    store.close()


def test_a_file_that_another_lmdb_lays_out_is_not_trusted(tmp_path, monkeypatch):
    with contextlib.closing(_opened(tmp_path / "users")) as store:
        store.commit(1, {b"ann": b"1"}, {})
        with monkeypatch.context() as other:
            other.setattr(lmdb_disk, "_MAGIC", 0xBEEFC0DF)
            with pytest.raises(BrokenContract, match="the newest head of"):
                _reaches_the_disk(store)
