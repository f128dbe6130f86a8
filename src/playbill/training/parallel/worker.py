"""One worker of a crew: what it reads, what it does, and what it writes."""

import resource
import statistics
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from playbill.core import Clock
from playbill.core.durable import replace_file
from playbill.models.networks import ItemColumns
from playbill.training.parallel.crew import Crew
from playbill.training.parallel.placing import Plan
from playbill.training.parallel.shards import latest, restore, save
from playbill.training.parallel.spread_towers import SpreadRecipe, SpreadTowers
from playbill.training.sequences import Sequences
from playbill.training.tower_data import ItemPlaces
from playbill.training.towers_left import FIXED_TABLES, TowersLeft

JOB, INPUTS, OUTPUTS, PROGRESS = "job.json", "inputs.npz", "outputs.npz", "progress.json"
BEGIN = "begin.npz"
CHECKPOINTS = "checkpoints"
_VECTORS_AT_ONCE = 65_536
_STEPS_TIMED = 100


class Job(SpreadRecipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a crew is to do; beside it lie the inputs, and checkpoints and outputs come to lie."""

    plan: Plan
    languages: int
    """Buckets of languages."""
    durations: int
    """Buckets of durations."""
    timeout_s: float
    """A worker that keeps the others waiting for so long is lost."""
    every_steps: int = 50
    """Steps between two checkpoints."""
    warm: bool = False
    """Whether it begins with other towers, which lie beside it."""
    most_steps: int | None = None
    """Where it ends before the last pass does; None for nowhere."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a crew is, for whoever started it."""

    step: int
    steps: int
    loss: float
    resumed_from: int
    step_s: float
    """Median of the last steps, checkpoints left out."""
    peak_bytes: int
    """Largest resident size so far of the worker that had most."""


def write_inputs(folder: Path, job: Job, sequences: Sequences, columns: ItemColumns) -> None:
    """Write what a crew reads.

    Raises:
        OSError: the disk refused.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        **{name: getattr(sequences, name) for name in Sequences.__slots__},
        **{f"of_{name}": getattr(columns, name) for name in ItemColumns.__slots__},
    }
    replace_file(folder / INPUTS, lambda file: np.savez(file, allow_pickle=False, **arrays))
    write_job(folder, job)


def write_begin(folder: Path, begin: TowersLeft, places: ItemPlaces) -> None:
    """Write the towers that a crew begins with.

    Raises:
        InvalidInput: they have other layers.
        OSError: the disk refused.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        f"user.{name}": tensor.numpy() for name, tensor in begin.user_state().items()
    }
    topics = int(places.columns.topics.max(initial=0)) + 1
    for name, rows, values in begin.known(places, topics):
        # In spread tables row 0 is nothing, in all of them.
        arrays[f"rows.{name}"] = rows + 1 if name in FIXED_TABLES else rows
        arrays[f"values.{name}"] = values.numpy()
    replace_file(folder / BEGIN, lambda file: np.savez(file, allow_pickle=False, **arrays))


def _begin(folder: Path, towers: SpreadTowers) -> None:
    """Put the towers of a folder into a worker's part of new ones."""
    with np.load(folder / BEGIN, allow_pickle=False) as arrays:
        user = {name: arrays[f"user.{name}"] for name in towers.user.state_dict()}
        towers.user.load_state_dict({name: torch.from_numpy(each) for name, each in user.items()})
        for name, table in towers.tables.items():
            rows, values = arrays[f"rows.{name}"], arrays[f"values.{name}"]
            mine = (rows >= table.first) & (rows < table.last)
            table.weights[rows[mine] - table.first] = torch.from_numpy(values[mine])


def write_job(folder: Path, job: Job) -> None:
    """Write what a crew is to do with inputs that are there.

    Raises:
        OSError: the disk refused.
    """
    replace_file(folder / JOB, msgspec.json.encode(job))


def read_inputs(folder: Path) -> tuple[Job, Sequences, ItemColumns]:
    """Return what a crew is to do, and on what."""
    job = msgspec.json.decode((folder / JOB).read_bytes(), type=Job)
    with np.load(folder / INPUTS, allow_pickle=False) as arrays:
        sequences = Sequences(*(arrays[name] for name in Sequences.__slots__))
        columns = ItemColumns(*(arrays[f"of_{name}"] for name in ItemColumns.__slots__))
    return job, sequences, columns


def work(folder: Path, crew: Crew, clock: Clock) -> SpreadTowers:
    """Train what a folder says, from its newest checkpoint on, and write the outputs."""
    job, sequences, columns = read_inputs(folder)
    sizes = job.languages, job.durations
    towers = SpreadTowers(sequences, columns, sizes, job.plan, job, crew)
    identity = {"job": msgspec.to_builtins(job), "examples": len(sequences)}
    checkpoints = folder / CHECKPOINTS
    found = latest(checkpoints)
    curve = restore(found, towers) if found is not None else []
    if job.warm and found is None:
        _begin(folder, towers)
    steps = _steps(towers, job)
    resumed, number, seconds = len(curve), 0, deque[float](maxlen=_STEPS_TIMED)
    for each in range(job.passes):
        for batch in towers.batches(each):
            if number >= steps:
                break
            if number >= len(curve):
                began_s = clock.elapsed_s()
                curve.append(towers.step(batch, number, steps))
                seconds.append(clock.elapsed_s() - began_s)
                place = Progress(
                    step=len(curve),
                    steps=steps,
                    loss=curve[-1],
                    resumed_from=resumed,
                    step_s=statistics.median(seconds),
                    peak_bytes=crew.largest(peak_bytes()),
                )
                _report(folder, crew, place)
                if len(curve) % job.every_steps == 0:
                    save(checkpoints, towers, identity, curve)
            number += 1
    save(checkpoints, towers, identity, curve)
    _write_outputs(folder, towers)
    return towers


def peak_bytes() -> int:
    """Return the largest resident size that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _steps(towers: SpreadTowers, job: Job) -> int:
    """Return how many steps there are in all; batches of a pass depend on how it was cut."""
    steps = sum(sum(1 for _ in towers.batches(each)) for each in range(job.passes))
    return steps if job.most_steps is None else min(steps, job.most_steps)


def _report(folder: Path, crew: Crew, progress: Progress) -> None:
    if crew.number == 0:
        path = folder / PROGRESS
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(progress))
        draft.replace(path)


def _write_outputs(folder: Path, towers: SpreadTowers) -> None:
    """Write the vectors of all videos. A collective call; the first worker writes."""
    parts = []
    towers.user.eval()
    with torch.no_grad():
        for first in range(0, towers.catalogue, _VECTORS_AT_ONCE):
            items = np.arange(first, min(first + _VECTORS_AT_ONCE, towers.catalogue))
            parts.append(towers.items.vectors(items, None).numpy())
    if towers.crew.number == 0:
        vectors = np.concatenate(parts)
        replace_file(
            folder / OUTPUTS, lambda file: np.savez(file, allow_pickle=False, vectors=vectors)
        )
    towers.crew.wait()
