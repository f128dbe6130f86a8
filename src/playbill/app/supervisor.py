"""The supervisor: it starts every process, replaces what dies or hangs, and stops all in order."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playbill.app.process import queued_for_a_core_s
from playbill.app.stopping import Stop, Stopped
from playbill.app.timed_job import TimedJob
from playbill.app.updater_process import PLACE as UPDATER_PLACE
from playbill.app.wiring import Wiring
from playbill.app.worker_process import COLLECTOR_PLACE
from playbill.core import Conflict
from playbill.serving import SERVING, WARM, Board

FIRST_WORKER = 2
_WATCH_S = 0.02
_STARTING_S = 300.0
_UPDATER_HANG_S = 60.0
_STOP_S = 10.0
_BACKOFF_S = (0.0, 0.2, 1.0, 3.0, 10.0)
_STEADY_S = 30.0
_TELL_S = 5.0
_NO_PLACE = -1
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Processes share the cores; numeric libraries that start threads of their own fight over them."""

Say = Callable[[str], None]


@dataclass(slots=True)
class _Child:
    role: str
    place: int
    process: "subprocess.Popen[bytes]"
    started_s: float
    beat_s: float = 0.0
    queued_s: float = 0.0
    """Time its threads had stood in the queue for a core, at its last beat."""


@dataclass(slots=True)
class _Failures:
    """How often a place failed lately, so that one that cannot start is not tried without end."""

    count: int = 0
    not_before_s: float = 0.0

    def failed(self, now_s: float, lived_s: float) -> None:
        """Count a death; one after a steady life begins anew."""
        self.count = 0 if lived_s > _STEADY_S else self.count + 1
        self.not_before_s = now_s + _BACKOFF_S[min(self.count, len(_BACKOFF_S) - 1)]


@dataclass(slots=True)
class Supervisor:
    """All processes of one home.

    One worker more than asked for stands by, warm and not listening, so that a worker that hangs
    is replaced in the time it takes to notice it. ``stopping`` ends ``start`` and ``watch``.
    """

    wiring: Wiring
    say: Say
    stopping: Stop = field(default_factory=Stop)
    _children: dict[int, _Child] = field(default_factory=dict)
    _failures: dict[int, _Failures] = field(default_factory=dict)
    _board: Board = field(init=False)
    _ahead: TimedJob = field(init=False)

    def __post_init__(self) -> None:
        self.wiring.announce()
        self._ahead = TimedJob(
            "precompute",
            self._command("precompute", _NO_PLACE),
            float(self.wiring.settings.precompute.every_s),
            self.wiring.clock,
            self.say,
            self._started,
        )
        self._board = Board(self.wiring.layout.board, create=True)
        self._board.rows[:] = 0

    def start(self) -> None:
        """Start every process and return when feeds are served.

        Raises:
            Conflict: a port is taken, or the history was folded with other settings.
            Stopped: told to stop before that.
        """
        workers = self.wiring.settings.http.workers
        self._check_ports()
        self.wiring.settle()
        self._spawn(UPDATER_PLACE)
        self._wait_ready([UPDATER_PLACE])
        places = [COLLECTOR_PLACE, *(FIRST_WORKER + number for number in range(workers))]
        for place in places:
            self._spawn(place)
        self._wait_ready(places)
        self._spawn(FIRST_WORKER + workers)

    def watch(self, every_second: Callable[[Board], None] | None = None) -> None:
        """Replace what dies or hangs until told to stop, then stop everything in order."""
        told_at_s = 0.0
        while not self.stopping.wait(_WATCH_S):
            self.look()
            now_s = self.wiring.clock.elapsed_s()
            if every_second is not None and now_s - told_at_s >= 1.0:
                told_at_s = now_s
                every_second(self._board)
            self._ahead.look()
        self.stop()

    def look(self) -> None:
        """Look at every process once."""
        for child in list(self._children.values()):
            if child.process.poll() is not None:
                self._replace(child, f"ended with status {child.process.returncode}")
            elif self._hangs(child):
                child.process.kill()
                child.process.wait()
                self._replace(child, "hung")
        now_s = self.wiring.clock.elapsed_s()
        for place, failures in self._failures.items():
            if place not in self._children and now_s >= failures.not_before_s:
                self._spawn(place)

    def stop(self) -> None:
        """Stop servers, then the collector, then the updater, each with its work finished."""
        self._ahead.stop()
        last = (COLLECTOR_PLACE, UPDATER_PLACE)
        servers = [place for place in self._children if place not in last]
        for group in (servers, *([place] for place in last)):
            children = [self._children.pop(place) for place in group if place in self._children]
            for child in children:
                child.process.send_signal(signal.SIGTERM)
            for child in children:
                try:
                    child.process.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()
        shutil.rmtree(self.wiring.layout.run, ignore_errors=True)

    def _check_ports(self) -> None:
        """Refuse ports that somebody else listens on; processes of ours share theirs."""
        http = self.wiring.settings.http
        for port in (http.port, http.collector_port):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((http.host, port))
                except OSError as error:
                    raise Conflict(
                        f"{http.host}:{port} cannot be listened on: {error.strerror}",
                        hint="stop what listens there, or choose another with --port",
                    ) from error

    def processes(self) -> dict[str, int]:
        """Return the process ids by role and place."""
        return {
            f"{child.role}-{place}": child.process.pid for place, child in self._children.items()
        }

    def _spawn(self, place: int) -> None:
        role = self._role(place)
        self._board.rows["ready"][place] = 0
        process = self._started(self._command(role, place))
        self._children[place] = _Child(role, place, process, self.wiring.clock.elapsed_s())

    def _command(self, role: str, place: int) -> list[str]:
        home = str(self.wiring.layout.home)
        return [sys.executable, "-m", "playbill.app", role, str(place), home, str(os.getpid())]

    def _started(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, **_ONE_THREAD}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)

    def _role(self, place: int) -> str:
        if place == UPDATER_PLACE:
            return "updater"
        if place == COLLECTOR_PLACE:
            return "collector"
        serving = sum(child.role == "worker" for child in self._children.values())
        return "worker" if serving < self.wiring.settings.http.workers else "standby"

    def _replace(self, child: _Child, why: str) -> None:
        now_s = self.wiring.clock.elapsed_s()
        del self._children[child.place]
        self._board.rows["ready"][child.place] = 0
        self._board.rows["restarts"][UPDATER_PLACE] += 1
        self.say(f"{child.role} {child.place} {why}; it is replaced")
        failures = self._failures.setdefault(child.place, _Failures())
        failures.failed(now_s, now_s - child.started_s)
        if child.role == "worker":
            self._call_up_standby()
        if now_s >= failures.not_before_s:
            self._spawn(child.place)

    def _call_up_standby(self) -> None:
        for child in self._children.values():
            if child.role == "standby" and self._board.rows["ready"][child.place] == WARM:
                self._board.rows["ready"][child.place] = SERVING
                child.role = "worker"
                return

    def _hangs(self, child: _Child) -> bool:
        """Return whether a process was silent for too long while it had, or could have, a core."""
        row = self._board.rows[child.place]
        beat_s = float(row["beat_s"])
        queued_s = queued_for_a_core_s(child.process.pid)
        if beat_s != child.beat_s:
            child.beat_s, child.queued_s = beat_s, queued_s
        silent_s = self.wiring.clock.elapsed_s() - beat_s - (queued_s - child.queued_s)
        if not row["ready"]:
            lived_s = self.wiring.clock.elapsed_s() - child.started_s
            return min(silent_s, lived_s) > _STARTING_S
        limit_s = self.wiring.settings.http.hang_s
        return silent_s > (_UPDATER_HANG_S if child.place == UPDATER_PLACE else limit_s)

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
