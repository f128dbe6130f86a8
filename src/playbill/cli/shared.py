"""What every command shares: the home option, output for people or for programs, exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from playbill.core import BrokenContract, DependencyUnavailable, InvalidInput, PlaybillError

EXIT_NO = 1
"""The command ran and the answer is no: parity broken, a check failed."""
EXIT_INPUT = 2
"""What was asked for cannot be: wrong input, wrong state."""
EXIT_DEPENDENCY = 3
"""Something behind the command is gone."""
EXIT_STOPPED = 130
"""The demo was stopped before its summary."""

# Most of what is printed holds paths, names and messages, whose brackets are no markup. In a file
# or a pipe lines are as long as what they say.
_WIDE = 160
out = Console(
    markup=False,
    width=None if sys.stdout.isatty() else _WIDE,
    soft_wrap=not sys.stdout.isatty(),
)
err = Console(
    stderr=True,
    markup=False,
    width=None if sys.stderr.isatty() else _WIDE,
    soft_wrap=not sys.stderr.isatty(),
)

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
    """Turn an expected failure into a message, a hint and an exit code; a bug of ours stays one."""
    try:
        yield
    except BrokenContract:
        raise
    except PlaybillError as error:
        err.print(Text.assemble(("playbill:", "bold red"), " ", error.message), highlight=False)
        if error.hint:
            err.print(f"  {error.hint}", highlight=False)
        if isinstance(error, InvalidInput):
            raise typer.Exit(EXIT_INPUT) from error
        if isinstance(error, DependencyUnavailable):
            raise typer.Exit(EXIT_DEPENDENCY) from error
        raise
