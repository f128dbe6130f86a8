"""What this machine does in a step, and what it takes to say something to another worker."""

import itertools
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import torch

from playbill.core import Clock, DependencyUnavailable
from playbill.models.networks import ItemColumns
from playbill.training.parallel.advising import Calibration, Shape
from playbill.training.parallel.crew import Crew
from playbill.training.parallel.launching import command
from playbill.training.parallel.placing import Plan
from playbill.training.parallel.spread_items import tables_of
from playbill.training.parallel.spread_towers import SpreadTowers, share_of
from playbill.training.parallel.worker import Job, peak_bytes, read_inputs
from playbill.training.sequences import Sequences
from playbill.training.windows import Batch

CALIBRATION = "calibration.json"
_STEPS, _CALLS = 12, 30
_WARM = 3
_MESSAGE = 1 << 20
"""Numbers in a large message: 4 MiB."""
_MOST_ROWS = 1_000_000
"""Rows of a table while steps are timed; more would take memory and change little."""
PATIENCE_S = 600.0


def calibrate(folder: Path, workers: int) -> Calibration:
    """Measure a crew of so many workers on the job of a folder.

    Raises:
        DependencyUnavailable: the crew failed.
    """
    done = subprocess.run(
        command(folder, workers, "measure"),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        words = done.stderr[-1_000:].decode(errors="replace")
        raise DependencyUnavailable(
            f"{workers} workers could not be measured: {words}", hint="try with fewer workers"
        )
    return msgspec.json.decode((folder / CALIBRATION).read_bytes(), type=Calibration)


def shape_of(folder: Path) -> Shape:
    """Return the shape of a folder's job."""
    job, sequences, columns = read_inputs(folder)
    tables = tables_of(columns, job.languages, job.durations)
    input_bytes = _bytes_of(sequences, columns)
    towers = _towers(job, sequences, _cut(columns), Crew())
    return Shape(
        rows={table.name: table.rows for table in tables},
        width=tables[0].width,
        dense=sum(parameter.numel() for parameter in towers.user.parameters()),
        input_bytes=input_bytes,
        examples=len(sequences),
        per_step=int(next(towers.batches(0)).asked.sum()),
        passes=job.passes,
    )


def distinct_rows(towers: SpreadTowers, crew: Crew) -> dict[str, int]:
    """Return how many rows of each table a worker of a crew meets in the first step."""
    batch, columns = next(towers.batches(0)), towers.items.columns
    mine = share_of(batch, crew)
    items = np.unique(np.concatenate([towers.among(batch, 0), mine.items.ravel()]))
    return {name: len(np.unique(getattr(columns, name)[items])) for name in ItemColumns.__slots__}


def _bytes_of(sequences: Sequences, columns: ItemColumns) -> int:
    """Return what every worker holds of the inputs."""
    arrays = [getattr(sequences, name) for name in Sequences.__slots__]
    arrays += [getattr(columns, name) for name in ItemColumns.__slots__]
    return sum(array.nbytes for array in arrays)


def _cut(columns: ItemColumns) -> ItemColumns:
    """Return columns, changed in place, that need no more than a million rows of any table."""
    for name in ItemColumns.__slots__:
        rows = getattr(columns, name)
        np.remainder(rows, _MOST_ROWS, out=rows)
    return columns


def _towers(job: Job, sequences: Sequences, columns: ItemColumns, crew: Crew) -> SpreadTowers:
    sizes = job.languages, job.durations
    return SpreadTowers(sequences, columns, sizes, Plan.DATA, job, crew)


def measure(folder: Path, crew: Crew, clock: Clock) -> Calibration:
    """Return what this crew does. A collective call."""
    base = peak_bytes()
    job, sequences, columns = read_inputs(folder)
    inputs = _bytes_of(sequences, columns)
    towers = _towers(job, sequences, _cut(columns), Crew())
    held = sum(table.weights.nbytes + table.squares.nbytes for table in towers.tables.values())
    dense = sum(parameter.numel() for parameter in towers.user.parameters()) * 12
    crew.wait()
    compute_s = _median_s(clock, _STEPS, _own_steps(towers, crew))
    work = max(peak_bytes() - base - held - dense - inputs, 0)
    small, large = torch.zeros(crew.size), torch.zeros(_MESSAGE // crew.size * crew.size)
    counts = [len(large) // crew.size] * crew.size
    call_s = _median_s(clock, _CALLS, lambda: crew.sent(small, [1] * crew.size, [1] * crew.size))
    sum_s = _median_s(clock, _CALLS, lambda: crew.summed(large))
    send_s = _median_s(clock, _CALLS, lambda: crew.sent(large, counts, counts))
    away = large.nbytes * (crew.size - 1) / crew.size
    return Calibration(
        workers=crew.size,
        distinct=distinct_rows(towers, crew),
        base_bytes=crew.largest(base),
        work_bytes=crew.largest(work),
        compute_s=crew.largest(int(compute_s * 1e9)) / 1e9,
        call_s=call_s,
        sum_bytes_per_s=large.nbytes / max(sum_s - call_s, 1e-9),
        exchange_bytes_per_s=max(away, 1.0) / max(send_s - call_s, 1e-9),
    )


def _own_steps(towers: SpreadTowers, crew: Crew) -> Callable[[], object]:
    """Return what takes a step on this worker's share, told apart from as many as all meet."""
    batches = itertools.cycle([*itertools.islice(towers.batches(0), _STEPS)])
    numbers = itertools.count()

    def step() -> float:
        batch = next(batches)
        mine = share_of(batch, crew)
        if not mine.asked.any():
            mine = Batch(batch.items, batch.kinds, batch.asked)
        return towers.step(mine, next(numbers), 1_000, among=towers.among(batch, 0))

    return step


def _median_s(clock: Clock, times: int, what: Callable[[], object]) -> float:
    seconds = []
    for number in range(_WARM + times):
        began_s = clock.elapsed_s()
        what()
        if number >= _WARM:
            seconds.append(clock.elapsed_s() - began_s)
    return statistics.median(seconds)
