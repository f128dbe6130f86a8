"""A home that is served keeps in memory what requests read: its champion's arrays and its store."""

import os
import shutil
import threading
from pathlib import Path

import msgspec
import pytest

from live_home import until
from playbill.app import keeping
from playbill.app.doctor import examine
from playbill.app.keeping import GIB, Keeping, allowed_bytes, read_by_requests
from playbill.app.residence import Residence, memory_bytes
from playbill.app.verbs import Home
from playbill.app.wiring import Wiring
from trained_home import copy_of


def locked_kib(pid: int) -> int:
    """Return what the kernel says that a process has locked."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmLck"))


@pytest.fixture
def wiring(template, tmp_path):
    return Home(copy_of(template, tmp_path / "home").home).wiring


def _sizes(paths) -> int:
    return sum(path.stat().st_size for path in paths)


def _allowing(wiring: Wiring, gib: int | None) -> Wiring:
    state = msgspec.structs.replace(wiring.settings.state, resident_gib=gib)
    settings = msgspec.structs.replace(wiring.settings, state=state)
    return Wiring(wiring.layout, settings, wiring.keys, wiring.clock)


def test_it_is_the_champions_arrays_and_then_the_store(wiring):
    paths = read_by_requests(wiring)
    folder = wiring.bundles().path(wiring.bundles().champion())
    assert paths[-1].parent == wiring.layout.users
    assert {path.name for path in paths} >= {"codes.npy", "scales.npy", "interest_codes.npy"}
    assert all(folder in path.parents for path in paths[:-1])


def test_the_store_alone_is_fetched_page_by_page(wiring, monkeypatch):
    fetched = []
    monkeypatch.setattr(
        "playbill.app.residence.fetch_one_by_one",
        lambda file, first, size: fetched.append((os.fstat(file).st_ino, first, size)),
    )
    Keeping(wiring, print).look()
    store = read_by_requests(wiring)[-1].stat()
    assert fetched == [(store.st_ino, 0, store.st_size)]


def test_it_follows_the_champion_and_lets_go_in_the_end(wiring):
    said = []
    kept = Keeping(wiring, said.append)
    kept.look()
    assert kept.residence.bytes == _sizes(read_by_requests(wiring))
    store = wiring.bundles()
    shutil.rmtree(store.path(store.champion()))
    kept.look()
    assert kept.residence.bytes == _sizes(read_by_requests(wiring)[-1:])
    assert not said
    kept.start()
    kept.end()
    kept.join()
    assert kept.residence.bytes == 0


def test_a_look_that_breaks_is_told_of_once_and_does_not_end_it(wiring, monkeypatch, caplog):
    looked = threading.Semaphore(0)

    def breaks():
        looked.release()
        raise ValueError("no bundle is named so")

    monkeypatch.setattr(keeping, "_EVERY_S", 0.0)
    kept = Keeping(wiring, print)
    kept.look()
    kept.look = breaks
    kept.start()
    for _ in range(3):
        assert looked.acquire(timeout=30.0)
    kept.end()
    kept.join()
    assert kept.residence.bytes == 0
    assert len(caplog.messages) == 1


def test_a_home_that_is_served_is_kept_by_its_supervisor(template, tmp_path):
    live = copy_of(template, tmp_path / "home")
    live.start()
    try:
        wanted = sum(path.stat().st_size for path in read_by_requests(Home(live.home).wiring))
        until(lambda: locked_kib(live.process.pid) * 1024 >= wanted, "what requests read is kept")
    finally:
        live.stop()


def test_a_home_without_a_bundle_or_a_store_keeps_nothing(tmp_path):
    kept = Keeping(Wiring.of(tmp_path / "home"), print)
    kept.look()
    assert kept.residence.bytes == 0


def test_the_settings_bound_it_and_half_of_the_memory_does_without_them(wiring):
    assert allowed_bytes(_allowing(wiring, None)) == memory_bytes() // 2
    assert allowed_bytes(_allowing(wiring, 3)) == 3 * GIB
    nothing = Keeping(_allowing(wiring, 0), print)
    nothing.look()
    nothing.start()
    nothing.end()
    nothing.join()
    assert nothing.residence.bytes == 0


def test_what_does_not_fit_is_told_of_once_and_by_the_doctor(wiring, monkeypatch):
    monkeypatch.setattr(keeping, "WORTH_TELLING_BYTES", 0)
    said = []
    kept = Keeping(wiring, said.append)
    kept.residence = Residence(200_000)
    kept.look()
    kept.look()
    assert len(said) == 1
    assert "may have to come from disk: state.resident_gib allows no more" in said[0]
    (found,) = (f for f in examine(_allowing(wiring, 0)) if f.check == "resident")
    assert (found.level, found.fix.split(",")[0]) == ("note", "raise state.resident_gib")
    (found,) = (f for f in examine(_allowing(wiring, 1)) if f.check == "resident")
    assert found.level == "ok"
