"""What every process of ``playbill up`` has in common: a row on the board, a parent, signals."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from playbill.app.wiring import Wiring
from playbill.core import BrokenContract, PlaybillError
from playbill.serving import Board, BoardRow

_NICE = 19
EXIT_DEPENDENCY = 3
"""A process that ends with this found something gone that a restart may bring back."""


def step_aside() -> None:
    """Let the other processes of the machine go first."""
    os.nice(_NICE - os.nice(0))


def queued_for_a_core_s(pid: int) -> float:
    """Return how long a process's threads could have run and had no core, added up, in seconds.

    All of them count, since the one that holds the interpreter's lock may be any. 0 where the
    kernel does not say.
    """
    queued_ns = 0
    with contextlib.suppress(OSError, IndexError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            queued_ns += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[1])
    return queued_ns / 1e9


def join_family(place: int, wiring: Wiring) -> tuple[Board, BoardRow]:
    """Take a row of the board over; leave Ctrl-C to the supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board = Board(wiring.layout.board, create=False)
    row = board.row(place)
    row.start(os.getpid(), wiring.clock.elapsed_s())
    return board, row


def say(text: str) -> None:
    """Write one line of a process of this home to standard error."""
    print(f"playbill: {text}", file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn an expected failure into one line and an exit status; a bug of ours stays one."""
    try:
        yield
    except BrokenContract:
        raise
    except PlaybillError as error:
        hint = f" ({error.hint})" if error.hint else ""
        say(f"{error.message}{hint}")
        raise SystemExit(EXIT_DEPENDENCY) from error
