"""Kernels at a start: of processes that start together, one at a time compiles a part.

Source: docs/decisions/0024-kernels-are-compiled-ahead-and-once.md
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_LOOK_AGAIN_S = 0.05
_LOOKS = 6_000

Part = Callable[[], None]


def in_turns(folder: Path, parts: dict[str, Part], first: int) -> None:
    """Run every part; one that no process ran yet is run by one process at a time.

    What it compiles is in the cache when the next one runs it. A folder that cannot be written,
    and a process that is at a part for five minutes, are not waited for.

    Args:
        folder: where processes that start together say which parts were run; made here.
        parts: by name.
        first: which one to begin with, counted round, so that several processes share the work.
    """
    left = _round(folder, parts, first)
    for _ in range(_LOOKS):
        before = len(left)
        left = [name for name in left if not _ran(folder / name, parts[name], again=True)]
        if not left:
            return
        if len(left) == before:
            threading.Event().wait(_LOOK_AGAIN_S)
    for name in left:
        parts[name]()


def help_out(folder: Path, parts: dict[str, Part], first: int) -> None:
    """Run the parts that nobody ran yet and nobody is at, for others to find in the cache.

    Args:
        folder: as of ``in_turns``.
        parts: by name.
        first: as of ``in_turns``.
    """
    for name in _round(folder, parts, first):
        _ran(folder / name, parts[name], again=False)


def all_ran(folder: Path, names: Iterable[str]) -> bool:
    """Return whether every part was run by some process."""
    try:
        return all((folder / name).stat().st_size for name in names)
    except OSError:
        return False


def _round(folder: Path, parts: dict[str, Part], first: int) -> list[str]:
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
    names = list(parts)
    return names[first % len(names) :] + names[: first % len(names)]


def _ran(mark: Path, part: Part, *, again: bool) -> bool:
    """Run a part unless another process is at it; say whether it was run.

    Args:
        mark: holds something once a process has run the part.
        part: what to run.
        again: whether to run what another process ran.
    """
    try:
        file = os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        if again:
            part()
        return True
    try:
        known = os.fstat(file).st_size > 0
        if not known:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
        if again or not known:
            part()
        with suppress(OSError):
            os.pwrite(file, b"1", 0)
    finally:
        os.close(file)
    return True
