"""What every process of ``playbill up`` has in common: a row on the board, a parent, signals."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from playbill.app.wiring import Wiring
from playbill.core import BrokenContract, PlaybillError
from playbill.serving import Board, BoardRow

_PR_SET_PDEATHSIG = 1
EXIT_DEPENDENCY = 3
"""A process that ends with this found something gone that a restart may bring back."""


def end_with(parent: int) -> None:
    """Have the kernel send SIGTERM when the supervisor ends; end now if it has already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(EXIT_DEPENDENCY)


def queued_for_a_core_s(pid: int) -> float:
    """Return how long a process's first thread could have run and had no core, in seconds.

    0 where the kernel does not say.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def join_family(place: int, wiring: Wiring) -> tuple[Board, BoardRow]:
    """Take a row of the board over; leave Ctrl-C to the supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board = Board(wiring.layout.board, create=False)
    row = board.row(place)
    row.start(os.getpid(), wiring.clock.elapsed_s())
    return board, row


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn an expected failure into one line and an exit status; a bug of ours stays one."""
    try:
        yield
    except BrokenContract:
        raise
    except PlaybillError as error:
        hint = f" ({error.hint})" if error.hint else ""
        print(f"playbill: {error.message}{hint}", file=sys.stderr, flush=True)  # noqa: T201
        raise SystemExit(EXIT_DEPENDENCY) from error
