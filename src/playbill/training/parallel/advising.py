"""How a training should be spread: memory, bytes and seconds of each plan, and why not the others.

Source: the bytes of a ring all-reduce and of an all-to-all: Thakur, Rabenseifner and Gropp (2005);
docs/decisions/0033-a-crew-of-our-own.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from playbill.training.parallel.placing import Plan, Table, place

_FLOAT = 4
_ID = 8
_DENSE_COPIES = 3
"""Parameters, their gradients, and one number an optimiser keeps of each."""
_CALLS_OF_A_LOOKUP = 3
"""Counts, ids and vectors; and again, but for the counts, on the way back."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine did when it was measured, with as many workers as are asked about."""

    workers: int
    distinct: dict[str, int]
    """Rows of each table that one worker meets in a step."""
    base_bytes: int
    """Resident size of a worker before it holds anything of the job."""
    work_bytes: int
    """What a step needs for a while: logits, activations, gradients."""
    compute_s: float
    """Of one step with this worker's share of a batch and nothing sent, all workers at it."""
    call_s: float
    """Of a collective call with next to nothing in it."""
    sum_bytes_per_s: float
    """All-reduce: bytes of the tensor a second."""
    exchange_bytes_per_s: float
    """All-to-all: bytes that a worker sends a second."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be trained."""

    rows: dict[str, int]
    width: int
    dense: int
    """Parameters of the user tower."""
    input_bytes: int
    """Sequences and columns, which every worker holds."""
    examples: int
    """Videos to be foretold in a pass."""
    per_step: int
    passes: int


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One plan, and what it would be like."""

    plan: str
    workers: int
    memory_bytes: int
    """Resident size of the worker that holds most."""
    sent_bytes: int
    """By one worker in a step."""
    step_s: float
    hours: float
    cost: float | None
    """Of all workers, in the currency of the price; None for no price."""
    fits: bool
    why_not: str
    """Empty for the one that is advised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cluster has. ``memory_bytes`` of one worker; ``hours`` until it must be done."""

    memory_bytes: int
    hours: float | None = None
    price_per_hour: float | None = None
    """Of one worker."""


def advise(shape: Shape, limits: Limits, calibrations: Sequence[Calibration]) -> list[Advice]:
    """Return every plan, the advised one first, the others by how soon they would be done.

    Of those that fit in memory and time the cheapest is advised, and the quickest where nothing has
    a price; one worker where that is enough. Where none fits, the first says by how much.

    Args:
        shape: of the training.
        limits: of the cluster.
        calibrations: one for each number of workers in question.
    """
    found = []
    for known in calibrations:
        plans = [Plan.DATA] if known.workers == 1 else list(Plan)
        found += [_advice(shape, limits, known, plan) for plan in plans]
    found.sort(key=_order)
    best = found[0]
    return [best, *(
        msgspec.structs.replace(each, why_not=each.why_not or _behind(each, best))
        for each in found[1:]
    )]  # fmt: skip


def _order(advice: Advice) -> tuple[Any, ...]:
    cost = advice.hours * advice.workers if advice.cost is None else advice.cost
    return not advice.fits, cost, advice.hours, advice.workers


def _behind(each: Advice, best: Advice) -> str:
    """Return what speaks for the advised one: it is cheaper, or needs less of the cluster."""
    if each.hours < best.hours:
        return f"{best.hours / each.hours:.1f} times as soon done, for more of the cluster's hours"
    if each.workers == best.workers:
        return f"{each.step_s / best.step_s:.2f} times as long a step"
    return f"{each.hours / best.hours:.1f} times as long"


def _advice(shape: Shape, limits: Limits, known: Calibration, plan: Plan) -> Advice:
    memory, sent, step_s = predicted(shape, known, plan)
    steps = shape.passes * -(-shape.examples // shape.per_step)
    hours = steps * step_s / 3600.0
    price = limits.price_per_hour
    why = ""
    if memory > limits.memory_bytes:
        why = (
            f"needs {memory / 2**30:.2f} GiB a worker, which has {limits.memory_bytes / 2**30:.2f}"
        )
    elif limits.hours is not None and hours > limits.hours:
        why = f"takes {hours:.2f} h, which is more than {limits.hours:g}"
    return Advice(
        plan="one worker" if known.workers == 1 else plan.value,
        workers=known.workers,
        memory_bytes=memory,
        sent_bytes=sent,
        step_s=step_s,
        hours=hours,
        cost=None if price is None else price * hours * known.workers,
        fits=not why,
        why_not=why,
    )


def predicted(shape: Shape, known: Calibration, plan: Plan) -> tuple[int, int, float]:
    """Return bytes of memory of a worker, bytes that it sends in a step, and seconds of a step."""
    workers = known.workers
    tables = [Table(name, rows, shape.width) for name, rows in shape.rows.items()]
    placements = place(tables, workers, plan)
    held = max(
        sum(last - first for first, last in (p.stretch_of(n) for p in placements.values()))
        for n in range(workers)
    )
    memory = known.base_bytes + held * (shape.width + 1) * _FLOAT
    memory += shape.dense * _DENSE_COPIES * _FLOAT + shape.input_bytes + known.work_bytes
    if workers == 1:
        return memory, 0, known.compute_s
    elsewhere = (workers - 1) / workers
    exchanged, calls = 0.0, 0
    for name, placement in placements.items():
        rows = known.distinct[name]
        if placement.copied:
            exchanged += (workers - 1) * rows * (shape.width * _FLOAT + _ID)
            calls += 4
        else:
            exchanged += elsewhere * rows * (2 * shape.width * _FLOAT + 2 * _ID)
            calls += 2 * _CALLS_OF_A_LOOKUP
    summed = shape.dense * _FLOAT
    seconds = known.compute_s + (calls + 2) * known.call_s
    seconds += exchanged / known.exchange_bytes_per_s + summed / known.sum_bytes_per_s
    return memory, int(exchanged + 2 * elsewhere * summed), seconds
