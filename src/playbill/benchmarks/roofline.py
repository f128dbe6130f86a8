"""Feeds a second beside the most that this core could do of what a feed consists of."""

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from playbill.app.verbs import Home
from playbill.benchmarks.capacity import OnStage, full_runs, told
from playbill.benchmarks.feed import load_row, with_load
from playbill.benchmarks.load import Generator, Load
from playbill.benchmarks.machine import Machine, measure_machine
from playbill.benchmarks.prepare import Prepared, read_prepared
from playbill.benchmarks.shapes import Shapes, Work, products_of, weights_of, weights_once_of
from playbill.benchmarks.stages import measure_stages
from playbill.benchmarks.world import BenchWorld
from playbill.core import DependencyUnavailable
from playbill.models.user_history import took_to
from playbill.retrieval import VectorIndex

_TRACED = 300
_VIEWERS = 1_000


def measure_roofline(
    folder: Path, port: int, seconds: float, repeats: int, on_stage: OnStage
) -> dict[str, Any]:
    """Return capacity over HTTP with one worker, as a share of the machine's limit.

    The limit is the largest of three times: all operations at the speed of a matrix product, all
    streamed bytes at that of reading in order, all random lines at what one costs among many. The
    machine is measured on the worker's core before each run of feeds, for a machine that is shared
    is now faster and now slower. What is told is the run whose share is in the middle.

    Raises:
        NotFound: the home was not prepared.
    """
    prepared = read_prepared(folder)
    stages = measure_stages(folder, port, _TRACED, on_stage)
    work = _shapes(folder, prepared, _candidates(stages)).work()
    core = min(os.sched_getaffinity(0))
    rounds: list[tuple[Machine, Load]] = []

    async def in_turns(generator: Generator) -> dict[str, Any]:
        for number in range(repeats):
            on_stage("machine", number / repeats)
            machine = measure_machine(core)
            rounds.extend((machine, run) for run in await full_runs(generator, seconds, on_stage))
        on_stage("machine", 1.0)
        rows = [load_row(run.per_s, run, "closed") for _, run in rounds]
        return {**told([run for _, run in rounds]), "loads": rows}

    served = with_load(folder, port, in_turns)
    shares = [_round(work, machine, run) for machine, run in rounds]
    middle = sorted(range(repeats), key=lambda number: shares[number]["share_of_limit"])
    machine, _ = rounds[middle[repeats // 2]]
    return {
        **served,
        "candidates": _candidates(stages),
        "gflop_s": round(machine.gflop_s, 1),
        "stream_gb_s": round(machine.stream_gb_s, 2),
        "line_ns": round(machine.line_ns, 2),
        **{name: round(value, 1) for name, value in msgspec.structs.asdict(work).items()},
        "times_us": {name: round(us, 1) for name, us in _times_us(work, machine).items()},
        **shares[middle[repeats // 2]],
        "rounds": shares,
        "stages": stages["stages"],
        "whole": stages["whole"],
    }


def _round(work: Work, machine: Machine, run: Load) -> dict[str, float]:
    """Return feeds a second, the most there could be, and the share, of one run."""
    limit = 1e6 / max(_times_us(work, machine).values())
    return {
        "requests_per_s": round(run.per_s, 1),
        "limit_per_s": round(limit, 1),
        "share_of_limit": round(run.per_s / limit, 4),
    }


def _candidates(stages: dict[str, Any]) -> float:
    for row in stages["stages"]:
        if row["stage"] == "features":
            return float(row["left"])
    raise DependencyUnavailable(
        "no feed was ranked", hint="look at the reasons of a feed of this home: playbill up"
    )


def _shapes(folder: Path, prepared: Prepared, candidates: float) -> Shapes:
    home = Home(folder)
    bundle = home.bundles.path(prepared.bundle)
    return Shapes(
        VectorIndex.load(bundle / "index"),
        weights_of(bundle / "ranker.onnx"),
        weights_once_of(bundle / "ranker.onnx"),
        products_of(bundle / "user_tower.onnx", _taken(prepared)),
        candidates,
        home.settings.serving,
    )


def _taken(prepared: Prepared) -> int:
    """Return how many videos of their history viewers took to, on average."""
    world = BenchWorld(prepared.videos, prepared.viewers, prepared.seed, 0)
    users = world.users(np.arange(min(prepared.viewers, _VIEWERS)))
    return round(float(took_to(users["history_action"]).sum(axis=1).mean()))


def _times_us(work: Work, machine: Machine) -> dict[str, float]:
    return {
        "operations": work.flop / machine.gflop_s / 1e3,
        "stream": work.stream_bytes / machine.stream_gb_s / 1e3,
        "lines": work.random_lines * machine.line_ns / 1e3,
    }
