"""Checkpoints beside the fold: a copy of the process writes them, the fold goes on meanwhile."""

import contextlib
import ctypes
import errno
import os
import signal
from pathlib import Path
from typing import Protocol

from playbill.app.process import say
from playbill.app.resting import Rests
from playbill.core import sync_folder
from playbill.features import Rest
from playbill.features.checkpoint import CHECKPOINT_FILE

_PR_SET_PDEATHSIG = 1
_NICE = 10
_RESTS = 2.0
"""A copy rests so many times as long as it wrote: where the disk is slow, most of that was waiting,
which is in nobody's way, and a rest has its bound."""
_FIRST_OWN_FILE = 3
_DRAFTS = "next"


class Written(Protocol):
    """Whose state is written down: an updater."""

    checkpoints: Path

    def checkpoint(self, folder: Path | None = None, rest: Rest = lambda: None) -> None:
        """Write item state down, into another folder where one is given, and rest in between."""
        ...


class Rows(Protocol):
    """The user store, as far as a checkpoint must not be ahead of it."""

    def last_commit(self) -> int:
        """Return the number of the last commit."""
        ...

    def on_disk(self, commit: int) -> bool:
        """Return whether a commit outlives a power cut, and see to it that it soon will."""
        ...


class Counted(Protocol):
    """A row of the board."""

    def add(self, counter: str, amount: int = 1) -> None:
        """Count."""
        ...


class Checkpoints:
    """Write item state down; a disk that refuses costs time at the next start, nothing else.

    ``begin`` copies the process, which takes milliseconds: memory is shared until one of the two
    writes to it. The copy writes a file aside and ends; ``look`` puts it in place, once the rows
    it builds on are on the disk. Each refusal is counted. The first in a row is said, with its
    reason.
    """

    def __init__(self, updater: Written, rows: Rows, row: Counted) -> None:
        self._updater = updater
        self._rows = rows
        self._row = row
        self._refused = False
        self._copy: int | None = None
        self._commit = 0
        self._whole = False

    def begin(self) -> None:
        """Have a checkpoint of now written, unless one is under way."""
        if self._copy is not None or self._whole:
            return
        self._commit = self._rows.last_commit()
        try:
            copy = os.fork()
        except OSError as error:
            self._told(error)
            return
        if copy == 0:
            self._be_the_copy()
        self._copy = copy

    def look(self) -> bool:
        """Put a checkpoint in place that is whole; return whether none is under way any more."""
        if self._copy is not None:
            ended, status = os.waitpid(self._copy, os.WNOHANG)
            if ended:
                self._copy = None
                refusal = os.waitstatus_to_exitcode(status)
                self._whole = refusal == 0
                if refusal > 0:
                    self._told(OSError(refusal, os.strerror(refusal)))
                elif refusal:
                    self._told(OSError(errno.EINTR, signal.Signals(-refusal).name))
        if self._whole and self._rows.on_disk(self._commit):
            self._whole = False
            try:
                self._put_in_place()
            except OSError as error:
                self._told(error)
            else:
                self._refused = False
        return self._copy is None and not self._whole

    def write(self) -> None:
        """Write a checkpoint of now in this process, or leave the one before."""
        self._stop_copy()
        try:
            self._updater.checkpoint()
        except OSError as error:
            self._told(error)
        else:
            self._refused = False

    def _be_the_copy(self) -> None:
        """Write the state of this process down and end; the files that it shares are let go."""
        refusal = errno.EIO
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.closerange(_FIRST_OWN_FILE, os.sysconf("SC_OPEN_MAX"))
            os.nice(_NICE)
            self._updater.checkpoint(self._drafts(), Rests(_RESTS).rest)
            refusal = 0
        except OSError as error:
            refusal = error.errno or errno.EIO
        finally:
            os._exit(refusal)

    def _drafts(self) -> Path:
        return self._updater.checkpoints / _DRAFTS

    def _put_in_place(self) -> None:
        (self._drafts() / CHECKPOINT_FILE).replace(self._updater.checkpoints / CHECKPOINT_FILE)
        sync_folder(self._updater.checkpoints)

    def _stop_copy(self) -> None:
        copy, self._copy, self._whole = self._copy, None, False
        if copy is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(copy, signal.SIGKILL)
            os.waitpid(copy, 0)

    def _told(self, error: OSError) -> None:
        self._row.add("errors")
        if not self._refused:
            say(
                f"no checkpoint was written: {error.strerror or error} (free space; until "
                "then the next start folds again what came after the last one)"
            )
        self._refused = True
