"""Failure drills: parts broken on purpose, so that people see the feed come back all the same."""

import ctypes
import enum
import threading
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import Clock, DependencyUnavailable
from playbill.ranking import RankingModel
from playbill.retrieval import VectorTable

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Record = npt.NDArray[np.void]


_SLOW_ROW_S = 0.1


class Drill(enum.StrEnum):
    """What can be broken."""

    SCORER_RAISES = "scorer-raises"
    """The heavy scorer fails at every call."""
    SCORER_SLOW = "scorer-slow"
    """The heavy scorer takes ten times as long."""
    SCORER_HANGS = "scorer-hangs"
    """The heavy scorer never returns, in one worker."""
    LIGHT_RAISES = "light-raises"
    """The light scorer fails at every call."""
    USERS_GONE = "users-gone"
    """The user store cannot be read."""
    USERS_SLOW = "users-slow"
    """The user store takes 100 ms for each row."""
    USERS_HANG = "users-hang"
    """The user store never answers, in one worker."""


class DrillPlan(msgspec.Struct, frozen=True):
    """Which drill runs, until when (seconds of the monotonic clock), and in which worker."""

    drill: Drill
    until_s: float
    worker: int | None = None


def read_plans(path: Path) -> list[DrillPlan]:
    """Return the drills of a file, none where there is no such file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[DrillPlan])
    except (OSError, msgspec.DecodeError):
        return []


class Drills:
    """The drills that run, if any; read from a file at each heartbeat, never in a request."""

    def __init__(self, path: Path, clock: Clock, worker: int, *, allowed: bool) -> None:
        self._path = path
        self._clock = clock
        self._worker = worker
        self._allowed = allowed
        self._until_s: dict[Drill, float] = {}

    def refresh(self) -> None:
        """Look at the file."""
        plans = read_plans(self._path) if self._allowed else []
        self._until_s = {
            plan.drill: plan.until_s for plan in plans if plan.worker in (None, self._worker)
        }

    def runs(self, drill: Drill) -> bool:
        """Return whether a drill runs here now."""
        until_s = self._until_s.get(drill)
        return until_s is not None and self._clock.elapsed_s() < until_s

    def at_a_row(self) -> None:
        """Take a viewer's row away, or its time, where a drill says so.

        Raises:
            DependencyUnavailable: rows cannot be read.
        """
        if self.runs(Drill.USERS_GONE):
            raise DependencyUnavailable(
                "the user store is gone: a drill runs", code="user_store_unavailable"
            )
        if self.runs(Drill.USERS_SLOW):
            threading.Event().wait(_SLOW_ROW_S)
        if self.runs(Drill.USERS_HANG):
            _hang()


class DrilledModel:
    """A model whose scorers break when a drill says so."""

    def __init__(self, model: RankingModel, drills: Drills, clock: Clock) -> None:
        self._model = model
        self._drills = drills
        self._clock = clock
        self.digest = model.digest
        self.value_weights = model.value_weights
        self.table: VectorTable = model.table

    def user_vector(self, user: npt.NDArray[np.void]) -> Floats | None:
        """Return the (D,) vector of a viewer."""
        return self._model.user_vector(user)

    def light(self, features: Floats) -> Floats:
        """Return (C,) approximate utility."""
        if self._drills.runs(Drill.LIGHT_RAISES):
            raise DependencyUnavailable("the light scorer fails: a drill runs")
        return self._model.light(features)

    def heavy(
        self, features: Floats, places: Ints, categories: Ints, rows: Ints, user: Record
    ) -> Floats:
        """Return (C, 4) probabilities."""
        if self._drills.runs(Drill.SCORER_RAISES):
            raise DependencyUnavailable("the heavy scorer fails: a drill runs")
        if self._drills.runs(Drill.SCORER_HANGS):
            _hang()
        started_s = self._clock.elapsed_s()
        p_action = self._model.heavy(features, places, categories, rows, user)
        if self._drills.runs(Drill.SCORER_SLOW):
            took_s = self._clock.elapsed_s() - started_s
            threading.Event().wait(9.0 * took_s)
        return p_action


def _hang() -> None:
    """Never return: native code that waits for ever and keeps the interpreter's lock."""
    ctypes.PyDLL(None).pause()
