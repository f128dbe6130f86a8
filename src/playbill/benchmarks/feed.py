"""Feeds over HTTP: one worker on a core of its own, the generator on another."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from playbill.app.learning import hardware
from playbill.app.supervisor import FIRST_WORKER, Supervisor
from playbill.app.verbs import Home
from playbill.benchmarks.capacity import OnStage, full_runs, told
from playbill.benchmarks.load import Generator, Load
from playbill.benchmarks.prepare import read_prepared
from playbill.benchmarks.world import viewer_name

SHARES = (0.5, 0.7, 0.9)
_VIEWERS = 50_000
_CAPACITY_S = 10.0
_FIRST = -10
"""A priority at which it is woken at once beside ordinary processes."""


@contextmanager
def served(
    folder: Path, port: int, workers: int = 1, settings: Mapping[str, Any] | None = None
) -> Iterator[Supervisor]:
    """Serve a home, each worker on a core of its own where there is one more; the rest elsewhere.

    This process moves, too, and back at the end.

    Args:
        folder: of the home.
        port: where it serves.
        workers: how many serve.
        settings: in front of the home's own, by their dotted names.
    """
    everybody = os.sched_getaffinity(0)
    wiring = Home(folder).wiring.override(port=port, workers=workers, said=settings or {})
    with wiring.alone():
        supervisor = Supervisor(wiring, lambda line: None)
        supervisor.start()
        watching = threading.Thread(target=supervisor.watch)
        watching.start()
        try:
            _place(supervisor, workers)
            yield supervisor
        finally:
            supervisor.stopping.ask()
            watching.join()
            place_threads(everybody)


def _place(supervisor: Supervisor, workers: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) <= workers:
        return
    for name, pid in supervisor.processes().items():
        number = int(name.rpartition("-")[2]) - FIRST_WORKER
        own = {cores[number]} if 0 <= number < workers else set(cores[workers:])
        place_threads(own, pid)
    # The thread that replaces processes, too: they run where it does.
    place_threads(set(cores[workers:]))


def place_threads(cores: set[int], pid: int | None = None) -> None:
    """Let all threads of a process, this one when None, run on some cores only."""
    for task in os.listdir(f"/proc/{pid or os.getpid()}/task"):
        # One that has just ended needs no core.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), cores)


def measure_feed(
    folder: Path, port: int, seconds: float, repeats: int, on_stage: OnStage, workers: int = 1
) -> dict[str, Any]:
    """Return capacity in a closed loop, and latency in open ones at shares of it.

    Raises:
        NotFound: the home was not prepared.
    """
    return with_load(
        folder,
        port,
        lambda generator: _measured(generator, seconds, repeats, on_stage),
        workers,
    )


def measure_overload(
    folder: Path, port: int, seconds: float, times: float, on_stage: OnStage
) -> dict[str, Any]:
    """Return what becomes of ``times`` the capacity in full feeds, and of 70 % of it afterwards.

    Raises:
        NotFound: the home was not prepared.
    """
    return with_load(
        folder, port, lambda generator: _overloaded(generator, seconds, times, on_stage)
    )


def with_load(
    folder: Path,
    port: int,
    measured: Callable[[Generator], Coroutine[Any, Any, dict[str, Any]]],
    workers: int = 1,
) -> dict[str, Any]:
    """Return what is measured of a prepared home that serves, and what its workers held then.

    Raises:
        NotFound: the home was not prepared.
    """
    prepared = read_prepared(folder)
    with served(folder, port, workers) as supervisor:
        names = [viewer_name(n) for n in range(min(_VIEWERS, prepared.viewers))]
        np.random.default_rng(prepared.seed).shuffle(names)
        generator = Generator("127.0.0.1", port, names, supervisor.wiring.clock)
        with before_all_others() as first:
            report = asyncio.run(_closing(generator, measured(generator)))
        private = [private_mb(pid) for pid in workers_of(supervisor, workers)]
    sizes = {"videos": prepared.videos, "viewers": prepared.viewers}
    held = {"workers": workers, "private_mb": private, "generator_first": first}
    return {"hardware": hardware(), **sizes, **held, **report}


@contextmanager
def before_all_others() -> Iterator[bool]:
    """Let this thread run before whatever shares its core; say whether the system allows it.

    It stands for clients, who have machines of their own: what it waits for the updater or for a
    checkpoint to give the core back would count as the server's.
    """
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


async def _closing(
    generator: Generator, measured: Coroutine[Any, Any, dict[str, Any]]
) -> dict[str, Any]:
    try:
        return await measured
    finally:
        await generator.close()


def workers_of(supervisor: Supervisor, workers: int) -> list[int]:
    """Return the process ids of the workers that serve."""
    running = supervisor.processes()
    places = range(FIRST_WORKER, FIRST_WORKER + workers)
    return [running[name] for name in running if int(name.rpartition("-")[2]) in places]


def private_mb(pid: int) -> float:
    """Return the memory that only this process holds and no file gives back, in 10**6 bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kib = [int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")]
    return round(sum(kib) * 1024 / 1e6, 1)


async def _closed(
    generator: Generator, seconds: float, repeats: int, on_stage: OnStage
) -> dict[str, Any]:
    runs = await full_runs(generator, seconds, on_stage, repeats)
    capacity = told(runs)
    rows = [load_row(capacity["capacity_per_s"], run, "closed") for run in runs]
    return {**capacity, "loads": rows}


async def _measured(
    generator: Generator, seconds: float, repeats: int, on_stage: OnStage
) -> dict[str, Any]:
    report = await _closed(generator, seconds, repeats, on_stage)
    capacity, rows = report["capacity_per_s"], report["loads"]
    random = np.random.default_rng(1)
    for share in SHARES:
        for number in range(repeats):
            on_stage(f"open loop at {share:.0%}", number / repeats)
            run = await generator.open(share * capacity, seconds, random)
            rows.append(load_row(share * capacity, run, "open"))
    on_stage("open loop at 90%", 1.0)
    return report


async def _overloaded(
    generator: Generator, seconds: float, times: float, on_stage: OnStage
) -> dict[str, Any]:
    capacity = told(await full_runs(generator, min(seconds, _CAPACITY_S), on_stage))
    random = np.random.default_rng(2)
    rows = []
    for stage, share in (("before", 0.7), ("overload", times), ("after", 0.7)):
        on_stage(stage, 0.0)
        offered = share * capacity["capacity_per_s"]
        run = await generator.open(offered, seconds, random)
        rows.append({"stage": stage, **load_row(offered, run, "open")})
    on_stage("after", 1.0)
    return {**capacity, "loads": rows}


def load_row(offered_per_s: float, load: Load, loop: str) -> dict[str, Any]:
    """Return what a report says of one load."""
    return {
        "loop": loop,
        "offered_per_s": round(offered_per_s, 1),
        "per_s": round(load.per_s, 1),
        "p50_ms": round(load.quantile_ms(0.5), 3),
        "p95_ms": round(load.quantile_ms(0.95), 3),
        "p99_ms": round(load.quantile_ms(0.99), 3),
        "tiers": dict(load.tiers),
        "failed": load.failed,
        "problems": dict(load.problems),
        "empty": load.empty,
        "steal_ms": round(load.steal_ms, 1),
    }
