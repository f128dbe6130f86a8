"""What one core can do at most: multiply, stream, and wait for memory."""

import os
import subprocess
import sys
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.app.children import environment_of_children
from playbill.app.clock import SystemClock
from playbill.benchmarks.machine_kernel import add_up, touch

_MATRIX = 768
_STREAM_BYTES = 256 << 20
_LINE_BYTES = 64
_LINES = 400_000
_REPEATS = 5


class Machine(msgspec.Struct, frozen=True):
    """The best of several tries on one core.

    ``gflop_s``: float32 matrix products, 10**9 operations a second. ``stream_gb_s``: reading
    memory in order, 10**9 bytes a second. ``line_ns``: one of many random cache lines that are all
    asked for at once, in nanoseconds.
    """

    gflop_s: float
    stream_gb_s: float
    line_ns: float


def measure_machine(core: int) -> Machine:
    """Measure a core, in a process whose numeric library has one thread; takes some seconds."""
    run = subprocess.run(
        [sys.executable, "-m", "playbill.benchmarks.machine", str(core)],
        env=environment_of_children(),
        capture_output=True,
        check=True,
    )
    return msgspec.json.decode(run.stdout, type=Machine)


def _measured() -> Machine:
    random = np.random.default_rng(0)
    left, right = (random.random((_MATRIX, _MATRIX), np.float32) for _ in range(2))
    out = np.empty((_MATRIX, _MATRIX), np.float32)
    products_s = _least_s(lambda: np.matmul(left, right, out=out))
    memory = np.ones(_STREAM_BYTES // 8, np.int64)
    stream_s = _least_s(lambda: add_up(memory))
    places: npt.NDArray[np.int64] = random.integers(_STREAM_BYTES // _LINE_BYTES, size=_LINES)
    lines_s = _least_s(lambda: touch(memory, places * (_LINE_BYTES // 8)))
    return Machine(
        2.0 * _MATRIX**3 / products_s / 1e9, _STREAM_BYTES / stream_s / 1e9, lines_s / _LINES * 1e9
    )


def _least_s(work: Callable[[], object]) -> float:
    clock = SystemClock()
    work()
    took = []
    for _ in range(_REPEATS):
        started_s = clock.elapsed_s()
        work()
        took.append(clock.elapsed_s() - started_s)
    return min(took)


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    sys.stdout.buffer.write(msgspec.json.encode(_measured()))
