"""Capacity: full feeds a second in a closed loop. What was served with less work does not count."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from playbill.benchmarks.load import Generator, Load
from playbill.contracts import Tier
from playbill.core import DependencyUnavailable

OnStage = Callable[[str, float], None]
_CONNECTIONS = 2
"""One request is answered while the next one waits."""
_WARM_S = 3.0
_SLICE_S = 1.0
_MOST_SLICES = 20
_TRIES = 3


async def full_runs(
    generator: Generator, seconds: float, on_stage: OnStage, repeats: int = 1
) -> list[Load]:
    """Return closed loops of ``seconds`` each, once the worker is warm, most of full feeds first.

    A run in which some feed was not full is made again, up to three times as many in all. Where
    full feeds do not come for so long, the best of what came is returned, which its tiers tell.

    Raises:
        DependencyUnavailable: no reply came at all.
    """
    on_stage("capacity", 0.0)
    await generator.closed(_CONNECTIONS, _WARM_S)
    for _ in range(_MOST_SLICES):
        if full_share(await generator.closed(_CONNECTIONS, _SLICE_S)) == 1.0:
            break
    runs: list[Load] = []
    for _ in range(_TRIES * repeats):
        full = sum(full_share(run) == 1.0 for run in runs)
        on_stage("capacity", full / repeats)
        if full == repeats:
            break
        runs.append(await generator.closed(_CONNECTIONS, seconds))
    on_stage("capacity", 1.0)
    if not any(run.latency_ms for run in runs):
        problems = sum((run.problems for run in runs), Counter[str]())
        told_of = ", ".join(f"{name} {count:,}" for name, count in problems.items()) or "nothing"
        raise DependencyUnavailable(
            f"no feed was answered; what came instead: {told_of}",
            hint="start the home with playbill up --home and look at /readyz and the log",
        )
    return sorted(runs, key=full_share, reverse=True)[:repeats]


def told(runs: list[Load]) -> dict[str, float]:
    """Return what a report says: the median of replies a second, and the least share of full."""
    return {
        "capacity_per_s": round(float(np.median([run.per_s for run in runs])), 1),
        "capacity_full_share": round(min(map(full_share, runs)), 4),
    }


def full_share(load: Load) -> float:
    """Return the share of full feeds among all replies, 0 without any."""
    return load.tiers[Tier.FULL.value] / max(sum(load.tiers.values()) + load.failed, 1)
