"""Parts break while people ask, one at a time and in pairs: nobody goes without a feed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from live_home import LiveHome, until
from playbill.app.clock import SystemClock
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.updater_process import PLACE as UPDATER
from playbill.app.verbs import Home
from playbill.benchmarks.load import Generator, Load
from playbill.registry import BundleStore
from playbill.serving import Drill
from trained_home import VIEWERS, copy_of

PER_S = 40.0
LONG_S = 120.0
Break = Callable[[LiveHome], Callable[[], None]]
"""Breaks a part; what it returns mends what does not mend itself."""


def _drilled(part: Drill) -> Break:
    def break_it(live: LiveHome) -> Callable[[], None]:
        Home(live.home).drill(part, LONG_S)
        return lambda: Home(live.home).drill(part, 0.0)

    return break_it


def _index_cut(live: LiveHome) -> Callable[[], None]:
    """A new champion whose index is cut short: the old one serves on."""
    store = Home(live.home).bundles
    good = store.champion()
    assert good is not None
    bad = twin_without_half_its_codes(store, good)
    (live.layout.bundles / "champion").write_text(bad)
    return lambda: store.promote(good)


def twin_without_half_its_codes(store: BundleStore, digest: str) -> str:
    from playbill.benchmarks.swap import twin

    other = twin(store, digest)
    codes = store.path(other) / "index" / "codes.npy"
    data = codes.read_bytes()
    codes.unlink()
    codes.write_bytes(data[: len(data) // 2])
    return other


def _updater_dead(live: LiveHome) -> Callable[[], None]:
    os.kill(live.pid(UPDATER), signal.SIGKILL)
    return lambda: None


def _updater_silent(live: LiveHome) -> Callable[[], None]:
    pid = live.pid(UPDATER)
    os.kill(pid, signal.SIGSTOP)

    def go_on() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    return go_on


def _store_deleted(live: LiveHome) -> Callable[[], None]:
    for file in live.layout.users.iterdir():
        file.unlink()
    return lambda: None


BREAKS: dict[str, Break] = {
    "users slow": _drilled(Drill.USERS_SLOW),
    "users gone": _drilled(Drill.USERS_GONE),
    "store deleted": _store_deleted,
    "scorer slow": _drilled(Drill.SCORER_SLOW),
    "scorer raises": _drilled(Drill.SCORER_RAISES),
    "light raises": _drilled(Drill.LIGHT_RAISES),
    "index cut": _index_cut,
    "updater dead": _updater_dead,
    "updater silent": _updater_silent,
}
TIERS = {
    "users slow": {"full", "light", "cached", "popular"},
    "users gone": {"cached", "popular"},
    "store deleted": {"full", "cached", "popular"},
    "scorer slow": {"full", "light"},
    "scorer raises": {"light"},
    "light raises": {"popular"},
    "index cut": {"full"},
    "updater dead": {"full"},
    "updater silent": {"full"},
}
PAIRS = [
    ("users gone", "scorer raises"),
    ("users slow", "scorer slow"),
    ("store deleted", "updater silent"),
    ("scorer raises", "updater dead"),
    ("index cut", "users gone"),
    ("light raises", "users slow"),
]
EVERY_PAIR = list(itertools.combinations(BREAKS, 2))
PRESSED = {"light", "cached", "popular"}
"""Tiers that a machine which is busy with other tests may step down to besides."""


@pytest.fixture
def live(template: Path, tmp_path: Path) -> Iterator[LiveHome]:
    made = copy_of(template, tmp_path / "home")
    made.workers = 2
    made.start()
    until(lambda: made.board().rows["ready"][FIRST_WORKER + 2] == 1, "a standby is warm")
    until(lambda: made.feed("viewer1")["tier"] == "full", "a full feed")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()


@contextmanager
def people_asking(live: LiveHome, *, anew: bool = False) -> Iterator[list[Load]]:
    """Ask at a steady rate, in slices of half a second; each slice's load is kept.

    The connections of one slice ask on in the next, all of which may be one worker's; ``anew``
    connects anew for each slice, so that every worker is asked before long.
    """
    loads: list[Load] = []
    over = threading.Event()

    async def ask() -> None:
        names = [f"viewer{number}" for number in range(VIEWERS)]
        generator = Generator("127.0.0.1", live.port, names, SystemClock(), size=10)
        random = np.random.default_rng(1)
        while not over.is_set():
            loads.append(await generator.open(PER_S, 0.5, random))
            if anew:
                await generator.close()
        await generator.close()

    asking = threading.Thread(target=lambda: asyncio.run(ask()))
    asking.start()
    try:
        yield loads
    finally:
        over.set()
        asking.join()


def _survived(live: LiveHome, names: tuple[str, ...]) -> Counter[str]:
    """Break parts under load, mend them, and return the tiers served while they were broken."""
    with people_asking(live) as loads:
        until(lambda: len(loads) >= 1, "people ask")
        mend = [BREAKS[name](live) for name in names]
        began = len(loads) + 1
        until(lambda: len(loads) >= began + 3, "they ask on")
        broken = loads[began : began + 3]
        for back in mend:
            back()
        mended = len(loads)
        until(lambda: len(loads) > mended + 1 and set(loads[-1].tiers) == {"full"}, "full again")
    assert sum(load.failed for load in loads) == 0
    assert sum(load.empty for load in loads) == 0
    return sum((load.tiers for load in broken), Counter())


def _as_said(names: tuple[str, ...], tiers: Counter[str]) -> None:
    allowed = set.union(*(TIERS[name] for name in names)) | PRESSED
    assert set(tiers) <= allowed, tiers
    for name in names:
        if "full" not in TIERS[name]:
            assert not tiers["full"], (name, tiers)


@pytest.mark.parametrize("name", BREAKS)
def test_one_part_breaks_and_everybody_is_served(live: LiveHome, name: str) -> None:
    _as_said((name,), _survived(live, (name,)))


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_parts_break_and_everybody_is_served(live: LiveHome, pair: tuple[str, str]) -> None:
    _as_said(pair, _survived(live, pair))


@pytest.mark.long
@pytest.mark.parametrize("pair", EVERY_PAIR, ids=" and ".join)
def test_any_two_parts_break_and_everybody_is_served(live: LiveHome, pair: tuple[str, str]) -> None:
    _as_said(pair, _survived(live, pair))


@pytest.mark.parametrize("part", [Drill.USERS_HANG, Drill.SCORER_HANGS])
def test_a_worker_that_hangs_costs_its_own_connections_only(live: LiveHome, part: Drill) -> None:
    first = live.pid(FIRST_WORKER)
    with people_asking(live, anew=True) as loads:
        until(lambda: len(loads) >= 1, "people ask")
        Home(live.home).drill(part, LONG_S)
        until(lambda: live.pid(FIRST_WORKER) != first, "it is replaced")
        mended = len(loads)
        until(lambda: len(loads) > mended + 3 and set(loads[-1].tiers) == {"full"}, "full again")
    assert sum(load.failed for load in loads[mended + 2 :]) == 0
    assert sum(load.empty for load in loads) == 0


def test_a_worker_that_is_killed_costs_its_own_connections_only(live: LiveHome) -> None:
    with people_asking(live) as loads:
        until(lambda: len(loads) >= 1, "people ask")
        os.kill(live.pid(FIRST_WORKER), signal.SIGKILL)
        mended = len(loads)
        until(lambda: len(loads) > mended + 3 and set(loads[-1].tiers) == {"full"}, "full again")
    most = 2 * int(PER_S)
    assert sum(load.failed for load in loads) <= most
    assert sum(load.failed for load in loads[mended + 2 :]) == 0


def test_a_supervisor_that_is_killed_takes_all_and_the_next_one_goes_on(live: LiveHome) -> None:
    assert live.process is not None
    workers = [live.pid(FIRST_WORKER), live.pid(FIRST_WORKER + 1)]
    live.process.kill()
    live.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "workers have left")
    live.start()
    with people_asking(live) as loads:
        until(lambda: len(loads) >= 3 and set(loads[-1].tiers) == {"full"}, "full feeds")
    assert sum(load.failed for load in loads) == 0


def test_drills_run_side_by_side_and_say_when_they_cannot(live: LiveHome) -> None:
    home = Home(live.home)
    home.drill(Drill.SCORER_RAISES, LONG_S)
    home.drill(Drill.USERS_GONE, LONG_S)
    until(lambda: live.feed("never met")["reasons"][:1] == ["user_store_unavailable"], "one runs")
    home.drill(Drill.USERS_GONE, 0.0)
    until(lambda: live.feed("viewer2")["tier"] == "light", "the other one still runs")
    command = [sys.executable, "-m", "playbill.cli", "drill", "no-such-part"]
    ran = subprocess.run([*command, "--home", str(live.home)], capture_output=True, check=False)
    assert ran.returncode == 2
