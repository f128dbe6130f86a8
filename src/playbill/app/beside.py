"""Long work beside the loop, in a thread that takes less than its share of the core."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_NICE = 5
"""Not more: it holds the interpreter's lock now and then, and must not be pushed aside for long
while it does."""


class Beside:
    """One such thread; what it does must leave the interpreter's lock alone most of the time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "beside", _step_back)

    async def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: work(*args, **named))


def _step_back() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
