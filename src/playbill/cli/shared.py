"""What every command shares: the home option, output for people or for programs, exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from playbill.core import DependencyUnavailable, InvalidInput, PlaybillError

EXIT_NO = 1
"""The command ran and the answer is no: parity broken, a check failed."""
EXIT_INPUT = 2
"""What was asked for cannot be: wrong input, wrong state."""
EXIT_DEPENDENCY = 3
"""Something behind the command is gone."""

out = Console()
err = Console(stderr=True)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Home folder; else PLAYBILL_HOME, else ~/.playbill."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


@contextmanager
def explained() -> Iterator[None]:
    """Turn an expected failure into a message, a hint and an exit code."""
    try:
        yield
    except PlaybillError as error:
        err.print(f"[bold red]playbill:[/] {error.message}", highlight=False)
        if error.hint:
            err.print(f"  {error.hint}", highlight=False)
        if isinstance(error, InvalidInput):
            raise typer.Exit(EXIT_INPUT) from error
        if isinstance(error, DependencyUnavailable):
            raise typer.Exit(EXIT_DEPENDENCY) from error
        raise


class Stages:
    """Progress over named stages: one bar a stage, finished ones stay."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=err,
            disable=quiet,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Stages":
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; what is there stays."""
        self._progress.stop()

    def __call__(self, stage: str, share: float) -> None:
        """Say how far a stage is, from 0 to 1."""
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, completed=1.0)
            self._tasks[stage] = self._progress.add_task(stage, total=1.0)
        self._progress.update(self._tasks[stage], completed=min(share, 1.0))
