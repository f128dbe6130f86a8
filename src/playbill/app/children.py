"""The supervisor's children: one process each, and how often a place failed."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playbill.app.process import queued_for_a_core_s
from playbill.core import Clock

if TYPE_CHECKING:
    import numpy as np

_BACKOFF_S = (0.0, 0.2, 1.0, 3.0, 10.0)
_STEADY_S = 30.0
_NOWHERE = -1
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Processes share the cores; numeric libraries that start threads of their own fight over them."""
_TUNABLES, _ONE_HEAP = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"
"""Asks for one heap for all threads, of large pages. What a feed reads lies apart, and of small
pages the processor remembers too few: decision 0051."""


@dataclass(slots=True)
class Child:
    """A process that the supervisor started."""

    role: str
    """updater, collector, worker, standby; leaving, once a worker was told to stop."""
    place: int
    process: "subprocess.Popen[bytes]"
    lender: socket.socket
    """Where it is lent a listening socket."""
    started_s: float
    door: int | None = None
    """Which one it was lent."""
    beat_s: float = 0.0
    queued_s: float = 0.0
    """Time its threads had stood in the queue for a core, at its last beat."""

    def silence_s(self, row: "np.void", clock: Clock) -> float:
        """Return how long it was silent while it had, or could have had, a core.

        The clock is read first: whatever holds up who asks then makes a silence look shorter. None
        is longer than its life, whatever the row still says of who had it before. A thread that has
        ended takes its time in the queue out of the sum: that makes no silence longer.

        Args:
            row: its own on the board.
            clock: that it beats by.
        """
        now_s = clock.elapsed_s()
        beat_s = float(row["beat_s"])
        queued_s = queued_for_a_core_s(self.process.pid)
        if beat_s != self.beat_s:
            self.beat_s, self.queued_s = beat_s, queued_s
        waited_s = max(queued_s - self.queued_s, 0.0)
        return min(now_s - beat_s, now_s - self.started_s) - waited_s


@dataclass(slots=True)
class Failures:
    """How often a place failed lately, so that one that cannot start is not tried without end."""

    count: int = 0
    not_before_s: float = 0.0

    def failed(self, now_s: float, lived_s: float) -> None:
        """Count a death; one after a steady life begins anew."""
        self.count = 0 if lived_s > _STEADY_S else self.count + 1
        self.not_before_s = now_s + _BACKOFF_S[min(self.count, len(_BACKOFF_S) - 1)]


def started(role: str, place: int, home: Path, now_s: float) -> Child:
    """Start a process of this program.

    Args:
        home: the home folder whose supervisor starts it.
        now_s: instant of the clock that all processes share.
    """
    lender, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        process = _started(_command(role, place, home, end), (end,))
    return Child(role, place, process, lender, now_s)


def job_command(role: str, home: Path) -> list[str]:
    """Return what starts a job, which takes no place and listens nowhere."""
    return _command(role, _NOWHERE, home, _NOWHERE)


def started_job(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a job."""
    return _started(command, ())


def environment_of_children() -> dict[str, str]:
    """Return this process's environment: libraries of one thread, and one heap of large pages.

    Whoever tunes the C library otherwise is left alone.
    """
    return {_TUNABLES: _ONE_HEAP, **os.environ, **_ONE_THREAD}


def _command(role: str, place: int, home: Path, lender: int) -> list[str]:
    arguments = [role, str(place), str(home), str(os.getpid()), str(lender)]
    return [sys.executable, "-m", "playbill.app", *arguments]


def _started(command: Sequence[str], passed: Sequence[int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, env=environment_of_children(), pass_fds=passed
    )
