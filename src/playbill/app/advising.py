"""``playbill train --advise``: this machine is measured, and every way to share a training told."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from playbill.app.learning import OnProgress, hardware
from playbill.app.wiring import Wiring
from playbill.core import InvalidInput
from playbill.features import WORDS_PER_ITEM

if TYPE_CHECKING:
    from playbill.training.parallel.advising import Advice
    from playbill.training.parallel.worker import Job

_AUTHORS_EACH = 40
"""Videos of an author, where videos are made up."""
_TOPICS, _WORDS = 1_000, 30_000
_TAKEN = 20
"""Videos that a viewer took, where viewers are made up."""
_VERIFIED_STEPS = 40


class AdviceAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the advisor."""

    workers: tuple[int, ...] = (1, 2)
    memory_gib: float
    """Of one worker."""
    hours: float | None = None
    """Until it must be done."""
    price: float | None = None
    """Of a worker for an hour."""
    videos: int | None = None
    """A catalogue that is made up, of so many; None for the home's data set."""
    verify: bool = False
    """Train some steps of every plan that fits, and stand what was measured beside it."""


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """What the advisor found, the advised plan first."""

    plans: list[dict[str, Any]]
    calibrations: list[dict[str, Any]]
    shape: dict[str, Any]
    hardware: str


def advise_training(wiring: Wiring, asked: AdviceAsked, on_progress: OnProgress | None) -> Advised:
    """Measure crews of each size, and return what every plan would need and take.

    Raises:
        InvalidInput: a number of workers is not from 1 to 64, or videos are too few.
        NotFound: there is no data set, and no number of videos was given.
        DependencyUnavailable: a crew could not be started.
    """
    from playbill.training.parallel.advising import Limits, advise
    from playbill.training.parallel.calibrating import calibrate, shape_of

    if not asked.workers or not all(1 <= each <= 64 for each in asked.workers):
        raise InvalidInput("workers are from 1 to 64 each", field="workers")
    tell = on_progress or (lambda stage, share: None)
    with tempfile.TemporaryDirectory(prefix="playbill-advice-") as scratch:
        folder = Path(scratch)
        tell("read rows", 0.0)
        job = _prepare(wiring, asked, folder)
        known = []
        for number, workers in enumerate(sorted(set(asked.workers))):
            tell("measure workers", number / len(set(asked.workers)))
            known.append(calibrate(folder, workers))
        tell("measure workers", 1.0)
        shape = shape_of(folder)
        memory = int(asked.memory_gib * 2**30)
        limits = Limits(memory_bytes=memory, hours=asked.hours, price_per_hour=asked.price)
        plans = advise(shape, limits, known)
        told = [msgspec.to_builtins(plan) for plan in plans]
        if asked.verify:
            _verify(folder, job, plans, told, tell)
    return Advised(
        plans=told,
        calibrations=[msgspec.to_builtins(each) for each in known],
        shape=msgspec.to_builtins(shape),
        hardware=hardware(),
    )


def _prepare(wiring: Wiring, asked: AdviceAsked, folder: Path) -> "Job":
    """Write the inputs of a crew: the home's own, or those of a catalogue that is made up."""
    from playbill.training.crewed_towers import job_of
    from playbill.training.dataset import Dataset
    from playbill.training.parallel.worker import write_inputs
    from playbill.training.sequences import sequences_of
    from playbill.training.tower_data import item_places

    job = job_of(wiring.settings)
    if asked.videos is not None:
        if asked.videos < _TAKEN:
            raise InvalidInput(f"videos are at least {_TAKEN}", field="videos")
        write_inputs(folder, job, *made_up(asked.videos, wiring.settings.training.seed))
        return job
    dataset = Dataset.open(wiring.layout.tables)
    rows = dataset.rows_for(wiring.settings)
    sequences = sequences_of(rows, np.ones(len(rows), np.bool_))
    write_inputs(folder, job, sequences, item_places(dataset.items(), sequences.items).columns)
    return job


def made_up(videos: int, seed: int) -> tuple[Any, Any]:
    """Return sequences over a catalogue of so many videos, few of which are taken often."""
    from playbill.models.networks import ItemColumns
    from playbill.training.sequences import Sequences

    random = np.random.default_rng(seed)
    viewers = max(videos // 100, 1_000)
    items = np.minimum((random.pareto(1.0, viewers * _TAKEN) * 100).astype(np.int64), videos - 1)
    columns = ItemColumns(
        topics=random.integers(0, _TOPICS, (videos, 4)),
        authors=np.arange(videos) // _AUTHORS_EACH + 1,
        words=random.integers(0, _WORDS, (videos, WORDS_PER_ITEM), np.int32),
        languages=random.integers(0, 8, videos),
        durations=random.integers(0, 4, videos),
        residuals=np.arange(1, videos + 1),
    )
    order = random.permutation(videos)
    kinds = random.integers(0, 4, len(items))
    return Sequences(order[items], np.repeat(np.arange(viewers), _TAKEN), kinds), columns


def _verify(
    folder: Path,
    job: "Job",
    plans: "Sequence[Advice]",
    told: list[dict[str, Any]],
    tell: OnProgress,
) -> None:
    """Train some steps of every plan that fits, and put what was measured beside it."""
    import shutil

    from playbill.training.parallel.launching import read_progress, run_crew
    from playbill.training.parallel.placing import Plan
    from playbill.training.parallel.worker import CHECKPOINTS, PROGRESS, write_job

    for number, (plan, found) in enumerate(zip(plans, told, strict=True)):
        tell("verify plans", number / len(plans))
        if plan.fits:
            way = Plan.DATA if plan.workers == 1 else Plan(plan.plan)
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            (folder / PROGRESS).unlink(missing_ok=True)
            steps = {"every_steps": 10 * _VERIFIED_STEPS, "most_steps": _VERIFIED_STEPS}
            write_job(folder, msgspec.structs.replace(job, plan=way, **steps))
            run_crew(folder, plan.workers, attempts=1)
            progress = read_progress(folder)
            assert progress is not None
            found["measured"] = {"memory_bytes": progress.peak_bytes, "step_s": progress.step_s}
    tell("verify plans", 1.0)
