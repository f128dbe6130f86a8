"""A job that a supervisor starts every so often, and that serves nobody."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playbill.core import Clock

_STOP_S = 10.0
Start = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]


@dataclass(slots=True)
class TimedJob:
    """One process at a time; the next begins ``every_s`` after the last one began, or ended.

    The later of the two: a job that takes longer than its period is not started twice. The first
    begins one period after the supervisor did. One that fails is told of, and tried again then.

    Args:
        name: for messages.
        command: what runs.
        every_s: the period; 0 for never.
        clock: measures it.
        say: takes a message.
        start: starts a process.
    """

    name: str
    command: Sequence[str]
    every_s: float
    clock: Clock
    say: Callable[[str], None]
    start: Start
    _due_s: float = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self._due_s = self.clock.elapsed_s() + self.every_s

    def look(self) -> None:
        """Notice an end, and begin what is due."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return
            if status:
                self.say(f"{self.name} ended with status {status}; it is tried again when due")
            self._process = None
        now_s = self.clock.elapsed_s()
        if self.every_s and now_s >= self._due_s:
            self._due_s = now_s + self.every_s
            self._process = self.start(self.command)

    def stop(self) -> None:
        """End what runs; it has nothing that would be lost."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
