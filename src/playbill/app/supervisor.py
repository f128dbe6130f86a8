"""The supervisor: it starts every process, replaces what dies or hangs, and stops all in order."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from playbill.app.children import Child, Failures, job_command, started, started_job
from playbill.app.doors import COLLECTOR_DOOR, FIRST_DOOR, Doors
from playbill.app.keeping import Keeping
from playbill.app.stopping import Stop, Stopped
from playbill.app.timed_job import TimedJob
from playbill.app.tls import certificate_of
from playbill.app.updater_process import PLACE as UPDATER_PLACE
from playbill.app.wiring import Wiring
from playbill.app.worker_process import COLLECTOR_PLACE
from playbill.core import PlaybillError
from playbill.serving import DRAINING, WARM, Board

FIRST_WORKER = 2
_WATCH_S = 0.02
_JUDGE_S = 0.25
"""So often it looks for a process that hangs: that reads a file for each thread of the home."""
_STARTING_S = 300.0
_UPDATER_HANG_S = 60.0
_STOP_S = 10.0
_TELL_S = 5.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Supervisor:
    """All processes of one home.

    One worker more than asked for stands by, warm and not listening, so that a worker that hangs
    is replaced in the time it takes to notice it, and one that is told to stop before it leaves.
    ``stopping`` ends ``start`` and ``watch``.
    """

    wiring: Wiring
    say: Say
    stopping: Stop = field(default_factory=Stop)
    _doors: Doors = field(init=False)
    _judged_at_s: float = 0.0
    _renewal_asked: bool = False
    _due: list[int] = field(default_factory=list)
    """Process ids of servers that are yet to be renewed."""
    _children: dict[int, Child] = field(default_factory=dict)
    _failures: dict[int, Failures] = field(default_factory=dict)
    _board: Board = field(init=False)
    _jobs: list[TimedJob] = field(init=False)
    _keeping: Keeping = field(init=False)

    def __post_init__(self) -> None:
        self._doors = Doors(self.wiring.settings.http)
        self.wiring.announce()
        self.wiring.layout.recovered.unlink(missing_ok=True)
        shutil.rmtree(self.wiring.layout.kernels, ignore_errors=True)
        settings, home = self.wiring.settings, self.wiring.layout.home
        periods_s = {
            "precompute": settings.precompute.every_s,
            "retrain": settings.retraining.every_s,
        }
        self._jobs = [
            TimedJob(
                role, job_command(role, home), float(every_s), self.wiring.clock, self.say,
                started_job,
            )
            for role, every_s in periods_s.items()
        ]  # fmt: skip
        self._keeping = Keeping(self.wiring, self.say)
        self._board = Board(self.wiring.layout.board, create=True)
        self._board.rows[:] = 0

    def start(self) -> None:
        """Start every process and return when feeds are served.

        Raises:
            Conflict: a port is taken, or the history was folded with other settings.
            InvalidInput: TLS cannot be served with the certificate and key of the settings.
            Stopped: told to stop before that.
        """
        workers = self.wiring.settings.http.workers
        self._check_tls()
        self._doors.open()
        try:
            self.wiring.settle()
        except PlaybillError:
            self._doors.close()
            raise
        servers = [COLLECTOR_PLACE, *(FIRST_WORKER + number for number in range(workers))]
        for place in (UPDATER_PLACE, *servers):
            self._spawn(place)
        self._wait_ready([UPDATER_PLACE])
        self._keeping.start()
        self.wiring.layout.recovered.touch(mode=0o600)
        self._wait_ready(servers)
        self._spawn(FIRST_WORKER + workers)

    def watch(self, every_second: Callable[[Board], None] | None = None) -> None:
        """Replace what dies or hangs until told to stop, then stop everything in order.

        A home whose folder is gone is stopped, too: nothing could be started there.
        """
        told_at_s = 0.0
        while not self.stopping.wait(_WATCH_S):
            if not self.wiring.layout.home.is_dir():
                self.say("the home folder is gone; everything stops")
                break
            self.look()
            now_s = self.wiring.clock.elapsed_s()
            if every_second is not None and now_s - told_at_s >= 1.0:
                told_at_s = now_s
                every_second(self._board)
            for job in self._jobs:
                job.look()
        self.stop()

    def renew(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Ask for new servers in the place of all that serve, one by one; a signal handler."""
        self._renewal_asked = True

    def look(self) -> None:
        """Look at every process once; whether one hangs, a few times a second."""
        now_s = self.wiring.clock.elapsed_s()
        judged = now_s - self._judged_at_s >= _JUDGE_S
        if judged:
            self._judged_at_s = now_s
        for child in list(self._children.values()):
            if child.process.poll() is not None:
                self._replace(child, f"ended with status {child.process.returncode}")
            elif child.role == "worker" and self._ready(child) == DRAINING:
                child.role = "leaving"
            elif judged and self._hangs(child):
                child.process.kill()
                child.process.wait()
                self._replace(child, "hung")
        for place, failures in self._failures.items():
            if place not in self._children and now_s >= failures.not_before_s:
                self._spawn(place)
        for door in self._free_doors():
            self._call_up_standby(door)
        self._renew()

    def stop(self) -> None:
        """Stop the servers, then the updater, each with its work finished."""
        for job in self._jobs:
            job.stop()
        patience_s = self._stop_s()
        servers = [place for place in self._children if place != UPDATER_PLACE]
        for group in (servers, [UPDATER_PLACE]):
            children = [self._children.pop(place) for place in group if place in self._children]
            for child in children:
                child.process.send_signal(signal.SIGTERM)
            for child in children:
                try:
                    child.process.wait(patience_s)
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()
                child.lender.close()
        self._keeping.end()
        self._keeping.join()
        self._doors.close()
        shutil.rmtree(self.wiring.layout.run, ignore_errors=True)

    def processes(self) -> dict[str, int]:
        """Return the process ids by role and place."""
        return {
            f"{child.role}-{place}": child.process.pid for place, child in self._children.items()
        }

    def _spawn(self, place: int) -> None:
        role = self._role(place)
        self._board.rows["ready"][place] = 0
        now_s = self.wiring.clock.elapsed_s()
        child = self._children[place] = started(role, place, self.wiring.layout.home, now_s)
        if role == "collector":
            self._lend(COLLECTOR_DOOR, child)
        elif role == "worker":
            self._lend(next(self._free_doors()), child)

    def _lend(self, door: int, child: Child) -> None:
        child.door = door
        with contextlib.suppress(OSError):
            self._doors.lend(door, child.lender)

    def _free_doors(self) -> Iterator[int]:
        """Yield the doors of the feed port that no worker serves, or only one that leaves."""
        taken = {c.door for c in self._children.values() if c.role == "worker"}
        doors = range(FIRST_DOOR, FIRST_DOOR + self.wiring.settings.http.workers)
        return (door for door in doors if door not in taken)

    def _role(self, place: int) -> str:
        if place == UPDATER_PLACE:
            return "updater"
        if place == COLLECTOR_PLACE:
            return "collector"
        serving = sum(child.role == "worker" for child in self._children.values())
        return "worker" if serving < self.wiring.settings.http.workers else "standby"

    def _replace(self, child: Child, why: str) -> None:
        now_s = self.wiring.clock.elapsed_s()
        del self._children[child.place]
        child.lender.close()
        left = self._ready(child) == DRAINING and child.process.returncode == 0
        self._board.rows["ready"][child.place] = 0
        self._board.rows["restarts"][UPDATER_PLACE] += 1
        self.say(f"{child.role} {child.place} {why}; it is replaced")
        failures = self._failures.setdefault(child.place, Failures())
        if not left:
            failures.failed(now_s, now_s - child.started_s)
        if child.role == "worker":
            assert child.door is not None
            if not self._call_up_standby(child.door) and not left:
                self._doors.rehang(child.door)
        if now_s >= failures.not_before_s:
            self._spawn(child.place)

    def _call_up_standby(self, door: int) -> bool:
        for child in self._children.values():
            if child.role == "standby" and self._ready(child) == WARM:
                child.role = "worker"
                self._lend(door, child)
                return True
        return False

    def _renew(self) -> None:
        """Tell the next server that is due to leave, once a standby can take its place."""
        children = self._children.values()
        if self._renewal_asked:
            self._renewal_asked = False
            try:
                self._check_tls()
                roles = ("worker", "collector")
                self._due = [child.process.pid for child in children if child.role in roles]
            except PlaybillError as error:
                self.say(f"servers are not renewed: {error.message} ({error.hint})")
        leaves = any(self._ready(child) == DRAINING for child in children)
        warm = any(c.role == "standby" and self._ready(c) == WARM for c in children)
        if self._due and warm and not leaves:
            pid = self._due.pop()
            for child in children:
                if child.process.pid == pid:
                    child.process.send_signal(signal.SIGTERM)

    def _check_tls(self) -> None:
        wiring = self.wiring
        certificate_of(wiring.settings.http, wiring.layout.home, wiring.clock.now_ms())

    def _stop_s(self) -> float:
        """Return how long a server that was told to stop may take: it ends what it has first."""
        http = self.wiring.settings.http
        return http.drain_s + http.body_s + _STOP_S

    def _ready(self, child: Child) -> int:
        return int(self._board.rows["ready"][child.place])

    def _hangs(self, child: Child) -> bool:
        """Return whether a process was silent for too long while it had, or could have, a core.

        Whether it is ready is read before its beat: one that has just become so has beaten by then,
        and is not judged by the last beat of who had the row before.
        """
        ready = self._ready(child)
        silent_s = child.silence_s(self._board.rows[child.place], self.wiring.clock)
        if not ready:
            return silent_s > _STARTING_S
        limit_s = self.wiring.settings.http.hang_s
        if child.place == UPDATER_PLACE:
            limit_s = _UPDATER_HANG_S
        elif ready == DRAINING:
            limit_s = self._stop_s()
        return silent_s > limit_s

    def _wait_ready(self, places: list[int]) -> None:
        began_s = told_s = self.wiring.clock.elapsed_s()
        while not all(self._board.rows["ready"][place] for place in places):
            if self.stopping.wait(_WATCH_S):
                self.stop()
                raise Stopped("stopped before it was ready")
            self.look()
            now_s = self.wiring.clock.elapsed_s()
            if UPDATER_PLACE in places and now_s - told_s >= _TELL_S:
                told_s = now_s
                self.say(
                    f"folding what the log holds beyond the checkpoint, {now_s - began_s:.0f} s"
                )
