"""A crew is started, watched, and started anew from its last checkpoint when a worker is lost.

Every attempt is a fresh launch: workers that stay cannot join a group that has lost one.
"""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from playbill.core import DependencyUnavailable
from playbill.training.checkpoints import Interrupted
from playbill.training.parallel.shards import latest
from playbill.training.parallel.worker import CHECKPOINTS, PROGRESS, Progress

ATTEMPTS = 5
"""Launches in a row that may fail without a newer checkpoint."""
_LOOK_S = 0.2
_LAST_WORDS = 2_000


def run_crew(
    folder: Path,
    workers: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    attempts: int = ATTEMPTS,
) -> int:
    """Train what a folder says with so many workers, and return how many launches it took.

    Raises:
        Interrupted: told to stop; the last checkpoint is there.
        DependencyUnavailable: it failed again and again, without getting further.
    """
    launches, failed, before = 0, 0, latest(folder / CHECKPOINTS)
    while True:
        launches += 1
        with (folder / "crew.log").open("wb") as log:
            crew = subprocess.Popen(
                command(folder, workers),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                _watch(crew, folder, on_progress, stop)
            finally:
                _end(crew)
        if crew.returncode == 0:
            return launches
        now = latest(folder / CHECKPOINTS)
        failed = failed + 1 if now == before else 1
        before = now
        if failed >= attempts:
            words = (folder / "crew.log").read_bytes()[-_LAST_WORDS:].decode(errors="replace")
            raise DependencyUnavailable(
                f"training by {workers} workers failed {failed} times in a row: {words}",
                hint="see crew.log beside the checkpoints; train with fewer workers",
            )


def command(folder: Path, workers: int, what: str = "work") -> list[str]:
    """Return what starts a crew on this machine, to work or to measure.

    On several machines, start the same module with ``torchrun`` on each, on a folder they share.
    """
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--max-restarts=0"]
    worker = ["-m", "playbill.app.crew", what, str(folder)]
    return [*launcher, f"--nproc-per-node={workers}", *worker]


def _watch(
    crew: "subprocess.Popen[bytes]",
    folder: Path,
    on_progress: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> None:
    """Tell how far a crew is until it has ended.

    Raises:
        Interrupted: told to stop.
    """
    told = -1
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            crew.wait(_LOOK_S)
        progress = read_progress(folder)
        if progress is not None and progress.step != told:
            told = progress.step
            on_progress(progress)
        if crew.returncode is not None:
            return
        if stop():
            raise Interrupted("towers")


def read_progress(folder: Path) -> Progress | None:
    """Return where a crew is, None before its first step."""
    try:
        return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return None


def _end(crew: "subprocess.Popen[bytes]") -> None:
    """End the launcher; its workers end with it, whatever state they are in."""
    with contextlib.suppress(ProcessLookupError):
        crew.send_signal(signal.SIGKILL)
    crew.wait()
