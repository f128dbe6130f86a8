"""What a measurement is, and how it keeps to one core."""

import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """Rates of several repeats, and the goal when there is one."""

    name: str
    unit: str
    rates: list[float]
    goal: float | None
    notes: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the middle rate."""
        return statistics.median(self.rates)

    def as_json(self) -> dict[str, Any]:
        """Return everything, the median included."""
        return {**asdict(self), "median": self.median}


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, threads included, on one core."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def repeated(work: Callable[[], float], repeats: int) -> list[float]:
    """Return the rates of several runs, after one that does not count."""
    work()
    return [work() for _ in range(repeats)]
