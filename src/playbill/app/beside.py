"""Long work beside the loop, in a thread that takes less than its share of the core."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_NICE = 5
"""Not more: it holds the interpreter's lock now and then, and must not be pushed aside for long
while it does."""
_TURN_S = 0.0005
"""How long it may keep the interpreter's lock while the loop waits: a feed gives the lock away
around every kernel, and would wait ten times as long each time to get it back."""


class Beside:
    """One such thread; what it does must leave the interpreter's lock alone most of the time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "beside", _step_back)

    async def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: _in_turns(work, *args, **named))


def _in_turns(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        return work(*args, **named)
    finally:
        sys.setswitchinterval(usual_s)


def _step_back() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
