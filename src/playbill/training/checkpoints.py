"""Checkpoints of one training run: whole or not there, and of no other run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import torch

from playbill.core import Clock, DependencyUnavailable, InvalidInput, NotFound
from playbill.core.durable import replace_file

_RUN_FILE = "run.json"
EVERY_S = 60.0


class Interrupted(Exception):
    """Told to stop within a run; its checkpoint holds what was done."""


class Checkpoints:
    """A folder with one file a stage, replaced as the run goes on.

    Files hold tensors and plain values and are read as such: nothing in them is executed.

    Args:
        folder: made when it is not there.
        identity: what the run follows from; a checkpoint of another run is refused.
        clock: of how long ago the last one was written.
        stop: whether the run was told to stop; looked at after every step.
        every_s: a checkpoint is no older than that and a step.

    Raises:
        DependencyUnavailable: the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        identity: dict[str, Any],
        clock: Clock,
        stop: Callable[[], bool] = lambda: False,
        every_s: float = EVERY_S,
    ) -> None:
        self.folder, self.told_to_stop = folder, stop
        self._clock, self._every_s = clock, every_s
        self._identity = msgspec.json.encode(identity, order="sorted")
        self._written_s = clock.elapsed_s()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            known = folder / _RUN_FILE
            if not known.exists():
                replace_file(known, self._identity)
        except OSError as error:
            raise self._refused(error) from error
        self._check(known.read_bytes())

    def load(self, stage: str) -> dict[str, Any] | None:
        """Return what was kept of a stage, None for nothing.

        Raises:
            InvalidInput: the file is damaged.
        """
        path = self.folder / f"{stage}.pt"
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
        except Exception as error:
            raise InvalidInput(
                f"the checkpoint {path} cannot be read: {type(error).__name__}",
                hint="train without --resume, which begins anew",
            ) from error
        return state

    def offer(self, stage: str, state: Callable[[], dict[str, Any]], *, now: bool) -> None:
        """Write a checkpoint when one is due, when it is to be now, or when the run must stop.

        Raises:
            Interrupted: the run must stop; the checkpoint is on the disk.
            DependencyUnavailable: the disk refused; the checkpoint before it is as it was.
        """
        stopped = self.told_to_stop()
        if stopped or now or self._clock.elapsed_s() - self._written_s >= self._every_s:
            self._write(stage, state())
            self._written_s = self._clock.elapsed_s()
        if stopped:
            raise Interrupted(stage)

    def _write(self, stage: str, state: dict[str, Any]) -> None:
        def write(file: BinaryIO) -> None:
            torch.save(state, file)

        try:
            replace_file(self.folder / f"{stage}.pt", write)
        except (OSError, RuntimeError) as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> DependencyUnavailable:
        return DependencyUnavailable(
            f"a checkpoint in {self.folder} cannot be written: {error}",
            hint="free space or make the folder writable, then train with --resume; the "
            "checkpoint before it is still there",
        )

    def _check(self, known: bytes) -> None:
        if known == self._identity:
            return
        theirs, ours = msgspec.json.decode(known), msgspec.json.decode(self._identity)
        changed = sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))
        raise InvalidInput(
            f"the checkpoint is of another run: {', '.join(changed)} changed",
            hint="train without --resume, which begins anew",
        )


def identity_of(folder: Path) -> dict[str, Any]:
    """Return what an interrupted run followed from.

    Raises:
        NotFound: there is none.
        InvalidInput: its file is damaged.
    """
    path = folder / _RUN_FILE
    try:
        found: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise NotFound("no training was interrupted here", hint="train without --resume") from None
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"{path} is damaged", hint="train without --resume, which begins anew"
        ) from error
    return found
