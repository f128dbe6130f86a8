"""Pages are entered before they are read, and what cannot be entered is left alone."""

import mmap
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from laws.feature_worlds import World, video
from playbill.features import pages
from playbill.features.adapters.lmdb_users import LmdbUserState
from playbill.features.adapters.shared_items import SharedItems
from playbill.features.pages import enter_file, fetch_one_by_one, touch

MANY = 1 << 40


def mapped(path: Path, size: int) -> mmap.mmap:
    """Return a map of a new file of so many pages."""
    path.write_bytes(bytes(size * mmap.PAGESIZE))
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def faults() -> int:
    """Return how many pages this thread was the first to read so far."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt


def test_what_a_mapped_file_holds_is_at_hand(tmp_path):
    path = tmp_path / "data"
    held = mapped(path, 3_000)
    held.madvise(mmap.MADV_RANDOM)
    assert enter_file(path, 0, MANY) == path.stat().st_size
    before = faults()
    np.frombuffer(held, np.uint8)[:: mmap.PAGESIZE].max()
    assert faults() - before < 300


def test_a_file_that_grew_costs_what_it_grew_by_and_one_that_did_not_nothing(tmp_path, monkeypatch):
    path = tmp_path / "data"
    held = mapped(path, 100)
    entered = []
    monkeypatch.setattr(pages, "_enter", lambda address, size: entered.append(size) or True)
    done = enter_file(path, 0, MANY)
    assert enter_file(path, done, MANY) == done
    assert enter_file(path, done - mmap.PAGESIZE, MANY) == done
    assert entered == [done, mmap.PAGESIZE]
    held.close()


def test_a_file_that_is_gone_large_or_mapped_by_nobody_is_left_alone(tmp_path):
    path = tmp_path / "data"
    assert enter_file(path, 0, MANY) == 0
    path.write_bytes(bytes(mmap.PAGESIZE))
    assert enter_file(path, 0, MANY) == 0
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    assert enter_file(path, 0, mmap.PAGESIZE - 1) == 0
    assert enter_file(path, 0, mmap.PAGESIZE) == mmap.PAGESIZE
    held.close()


@pytest.mark.parametrize("size", [1, 1 << 17, (1 << 17) + 1, 5_000_000])
def test_a_stretch_is_fetched_whole_in_parts_that_the_system_does_not_cut(monkeypatch, size):
    asked = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *what: asked.append(what))
    fetch_one_by_one(7, 4_096, size)
    assert {(file, how) for file, _, _, how in asked} == {(7, os.POSIX_FADV_WILLNEED)}
    ends = [first + length for _, first, length, _ in asked]
    assert [first for _, first, _, _ in asked] == [4_096, *ends[:-1]]
    assert ends[-1] == 4_096 + size
    assert max(length for _, _, length, _ in asked) <= 128 << 10


def test_a_file_is_fetched_before_it_is_entered(tmp_path, monkeypatch):
    path = tmp_path / "data"
    held = mapped(path, 100)
    done = []
    monkeypatch.setattr(pages, "fetch_one_by_one", lambda file, at, size: done.append((at, size)))
    monkeypatch.setattr(pages, "_enter", lambda address, size: done.append("entered") or True)
    enter_file(path, 0, MANY)
    assert done == [(0, path.stat().st_size), "entered"]
    held.close()


def test_whoever_enters_pages_beside_others_rests_after_each_part(tmp_path):
    rests = []
    touch(np.zeros(3 * pages._PART_BYTES + 8, np.uint8), rest=lambda: rests.append(None))
    assert len(rests) in (4, 5)


def test_where_the_system_cannot_pages_are_read_instead(tmp_path, monkeypatch):
    path = tmp_path / "data"
    held = mapped(path, 3_000)
    array = np.frombuffer(held, np.float32)
    monkeypatch.setattr(pages, "_enter", lambda address, size, rest: False)
    touch(array, np.zeros(0))
    before = faults()
    array.view(np.uint8)[:: mmap.PAGESIZE].max()
    assert faults() - before < 300


def test_a_large_file_is_entered_in_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "_MOST_BYTES", 10 * mmap.PAGESIZE)
    path = tmp_path / "data"
    held = mapped(path, 25)
    done = [0]
    while len(done) < 2 or done[-1] > done[-2]:
        done.append(enter_file(path, done[-1], MANY))
    assert [each // mmap.PAGESIZE for each in done] == [0, 10, 20, 25, 25]
    held.close()


def test_a_store_is_at_hand_as_far_as_it_has_grown_and_a_large_one_is_left_alone(tmp_path):
    store = LmdbUserState(tmp_path / "users", map_gib=1, writer=True)
    rows = {bytes([high, low]): bytes(1_000) for high in range(8) for low in range(250)}
    store.commit(1, rows, {})
    assert not store.touch(1_000)
    assert store.touch(MANY)
    assert not store.touch(MANY)
    before = faults()
    assert all(store.read(user)[0] for user in rows)
    assert faults() - before < 300
    more = {b"more" + user: row for user, row in rows.items()}
    store.commit(2, more, {})
    assert store.touch(MANY)
    store.close()


def test_item_state_in_use_is_at_hand_and_takes_no_memory_that_is_not(tmp_path):
    sizes = {"item_capacity": 100_000, "group_capacity": 100, "regions": 2}
    writer = SharedItems(tmp_path / "items", **sizes, create=True)
    world = World(items=writer)
    world.post(*(video(f"v{number}") for number in range(2_000)))
    world.step()
    used = (tmp_path / "items").stat().st_blocks
    reader = SharedItems(tmp_path / "items", **sizes, create=False)
    reader.touch()
    before = faults()
    for array in (reader.items[:2_000], reader.names[:2_000]):
        array.view(np.uint8)[:: mmap.PAGESIZE].max()
    assert faults() - before < 20
    assert (tmp_path / "items").stat().st_blocks == used
