"""Serving for long: what grows, and what does not come back."""

import asyncio
import os
from pathlib import Path
from typing import Any

import numpy as np

from playbill.app.learning import hardware
from playbill.app.supervisor import Supervisor
from playbill.benchmarks.capacity import OnStage, full_runs, told
from playbill.benchmarks.feed import private_mb, served, workers_of
from playbill.benchmarks.load import Generator
from playbill.benchmarks.prepare import read_prepared
from playbill.benchmarks.world import viewer_name

_SHARE = 0.6
_CAPACITY_S = 5.0
_SLICES = 60
_LEAST_SLICE_S = 1.0
_VIEWERS = 50_000


def measure_soak(folder: Path, port: int, minutes: float, on_stage: OnStage) -> dict[str, Any]:
    """Return what a worker held and how fast it was in each of up to sixty slices of the time.

    Memory is what only the worker holds; its growth is from the median of the second quarter, when
    every cache is warm, to that of the last.

    Raises:
        NotFound: the home was not prepared.
    """
    prepared = read_prepared(folder)
    with served(folder, port) as supervisor:
        names = [viewer_name(n) for n in range(min(_VIEWERS, prepared.viewers))]
        np.random.default_rng(prepared.seed).shuffle(names)
        generator = Generator("127.0.0.1", port, names, supervisor.wiring.clock)
        report = asyncio.run(_soaked(generator, supervisor, 60.0 * minutes, on_stage))
    sizes = {"videos": prepared.videos, "viewers": prepared.viewers}
    return {"hardware": hardware(), **sizes, "minutes": minutes, **report}


async def _soaked(
    generator: Generator, supervisor: Supervisor, seconds: float, on_stage: OnStage
) -> dict[str, Any]:
    (pid,) = workers_of(supervisor, 1)
    capacity = told(await full_runs(generator, _CAPACITY_S, on_stage))
    count = max(4, min(_SLICES, int(seconds / _LEAST_SLICE_S)))
    random, slices = np.random.default_rng(4), []
    for number in range(count):
        load = await generator.open(_SHARE * capacity["capacity_per_s"], seconds / count, random)
        slices.append(
            {
                "at_s": round((number + 1) * seconds / count, 1),
                "per_s": round(load.per_s, 1),
                "p95_ms": round(load.quantile_ms(0.95), 2),
                "p99_ms": round(load.quantile_ms(0.99), 2),
                "failed": load.failed,
                "empty": load.empty,
                "private_mb": private_mb(pid),
                "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                "tiers": dict(load.tiers),
            }
        )
        on_stage("soak", (number + 1) / count)
    await generator.close()
    (still,) = workers_of(supervisor, 1)
    return {
        **capacity,
        "failed": sum(part["failed"] for part in slices),
        "empty": sum(part["empty"] for part in slices),
        "memory_growth": _growth(slices, "private_mb"),
        "descriptor_growth": _growth(slices, "descriptors"),
        "same_process": still == pid,
        "slices": slices,
    }


def _growth(slices: list[dict[str, Any]], name: str) -> float:
    """Return by which share a number grew from the second quarter to the last."""
    values, quarter = [part[name] for part in slices], len(slices) // 4
    early, late = np.median(values[quarter : 2 * quarter]), np.median(values[-quarter:])
    return round(float(late / early - 1.0), 4)
