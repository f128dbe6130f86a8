"""A process that ends with the one that started it."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with(parent: int, status: int) -> None:
    """Have the kernel send SIGTERM when the parent ends; end now if it has already.

    Raises:
        SystemExit: with the status, when somebody else is the parent by now.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(status)
