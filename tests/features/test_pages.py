"""Pages are entered before they are read, and what cannot be entered is left alone."""

import mmap
import resource

import numpy as np

from playbill.features import pages
from playbill.features.pages import enter_file, touch

MANY = 1 << 40


def faults() -> int:
    """Return how many pages this thread was the first to read so far."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt


def test_what_a_mapped_file_holds_is_at_hand(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(3_000 * mmap.PAGESIZE))
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    held.madvise(mmap.MADV_RANDOM)
    assert enter_file(path, 0, MANY) == path.stat().st_size
    before = faults()
    np.frombuffer(held, np.uint8)[:: mmap.PAGESIZE].max()
    assert faults() - before < 300


def test_a_file_that_grew_costs_what_it_grew_by_and_one_that_did_not_nothing(tmp_path, monkeypatch):
    path = tmp_path / "data"
    path.write_bytes(bytes(100 * mmap.PAGESIZE))
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
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


def test_where_the_system_cannot_pages_are_read_instead(monkeypatch):
    read = []
    monkeypatch.setattr(pages, "_enter", lambda address, size: read.append(size) or False)
    touch(np.zeros(10_000, np.float32), np.zeros(0))
    assert read == [40_000]
