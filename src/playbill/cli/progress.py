"""Progress over named stages: bars on a terminal, lines in a log."""

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from playbill.app.clock import SystemClock
from playbill.cli.shared import err

_QUARTERS = 4


class Stages:
    """Say how far each stage is; finished ones stay. On standard error, never in the result.

    Args:
        quiet: say nothing.
        console: a terminal gets one bar a stage, anything else a line whenever a quarter is done.
    """

    def __init__(self, console: Console = err, *, quiet: bool = False) -> None:
        self._shown = _Lines(console) if not console.is_terminal else _Bars(console)
        self._quiet = quiet

    def __enter__(self) -> "Stages":
        """Begin to draw."""
        if not self._quiet:
            self._shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Stop drawing; what is there stays."""
        self.stop()

    def stop(self) -> None:
        """Say no more, so that a result can be printed below; any number of times."""
        if not self._quiet:
            self._shown.stop()
        self._quiet = True

    def __call__(self, stage: str, share: float) -> None:
        """Say how far a stage is, from 0 to 1."""
        if not self._quiet:
            self._shown.say(stage, min(share, 1.0))

    def note(self, stage: str, words: str) -> None:
        """Say what was measured in a stage, in words."""
        if not self._quiet:
            self._shown.note(stage, words)


class _Bars:
    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[words]}", markup=False),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def say(self, stage: str, share: float) -> None:
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, completed=1.0)
            self._tasks[stage] = self._progress.add_task(stage, total=1.0, words="")
        self._progress.update(self._tasks[stage], completed=share)

    def note(self, stage: str, words: str) -> None:
        """Put the words behind the bar of what is done now."""
        if self._tasks:
            self._progress.update(list(self._tasks.values())[-1], words=words)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._quarter = 0
        self._clock = SystemClock()
        self._started_s = self._clock.elapsed_s()

    def start(self) -> None:
        self._started_s = self._clock.elapsed_s()

    def stop(self) -> None:
        """Nothing is left to draw."""

    def say(self, stage: str, share: float) -> None:
        quarter = int(share * _QUARTERS)
        if stage == self._stage and quarter <= self._quarter:
            return
        self._stage, self._quarter = stage, quarter
        passed_s = self._clock.elapsed_s() - self._started_s
        self._console.print(
            f"{passed_s:7.1f} s  {stage}  {quarter * 100 // _QUARTERS} %",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )

    def note(self, stage: str, words: str) -> None:
        passed_s = self._clock.elapsed_s() - self._started_s
        self._console.print(
            f"{passed_s:7.1f} s  {stage}  {words}", highlight=False, soft_wrap=True, markup=False
        )
