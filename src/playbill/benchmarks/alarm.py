"""Waiting until an instant to a tenth of a millisecond, without spinning.

An event loop's own timers count whole milliseconds; a timer of the kernel that the loop reads like
any other file does not. Source: timerfd_create(2).
"""

import asyncio
import contextlib
import ctypes
import os

_MONOTONIC = 1
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_BYTES = 8


class _Spec(ctypes.Structure):
    """``struct itimerspec``: no interval, and one expiry."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class Alarm:
    """One timer in the running loop; for one waiter at a time."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.timerfd_create(_MONOTONIC, _FLAGS)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "no timer")
        self._loop = asyncio.get_running_loop()
        self._rang = asyncio.Event()
        self._loop.add_reader(self._file, self._ring)

    async def after(self, seconds: float) -> None:
        """Return once so many seconds have passed; at once for none."""
        if seconds <= 0.0:
            return
        self._rang.clear()
        whole = int(seconds)
        left_ns = max(int((seconds - whole) * 1e9), 1)
        spec = _Spec(0, 0, whole, left_ns)
        if self._libc.timerfd_settime(self._file, 0, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "the timer cannot be set")
        await self._rang.wait()

    def close(self) -> None:
        """Give the timer up."""
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _ring(self) -> None:
        # Set again since it rang, it has nothing to read yet.
        with contextlib.suppress(BlockingIOError):
            os.read(self._file, _BYTES)
            self._rang.set()
