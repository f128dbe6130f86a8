"""The exported networks, run by ONNX Runtime on one thread: what serving and evaluation call."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import DependencyUnavailable, InvalidInput
from playbill.models.silent_onnx import onnxruntime, refusals
from playbill.models.tasks import CATEGORIES, TASKS, WIDTH

Floats = npt.NDArray[np.float32]

REFUSALS = (
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NoSuchFile,
    refusals.NotImplemented,
    refusals.RuntimeException,
)
"""What the runtime raises."""


def open_session(model: Path | bytes, threads: int) -> Any:
    """Return a session of a graph's file or bytes on so many threads.

    Raises:
        InvalidInput: it cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    name = "the graph" if isinstance(model, bytes) else model.name
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except REFUSALS as error:
        raise InvalidInput(
            f"{name} cannot be loaded: {error}", hint="train again or restore the bundle"
        ) from error


def _run(session: Any, output: str, inputs: dict[str, npt.NDArray[Any]]) -> Floats:
    """Return the graph's output.

    Raises:
        DependencyUnavailable: the runtime gave up; another request may fare better.
    """
    try:
        found: Floats = session.run([output], inputs)[0]
    except REFUSALS as error:
        raise DependencyUnavailable(f"the graph of {output!r} failed: {error}") from error
    return found


def _require(session: Any, inputs: dict[str, list[int | None]], output: str) -> None:
    """Refuse a graph whose inputs or output are not the expected ones."""
    found = {
        part.name: [size if isinstance(size, int) else None for size in part.shape]
        for part in session.get_inputs()
    }
    outputs = [part.name for part in session.get_outputs()]
    if found != inputs or outputs != [output]:
        raise InvalidInput(
            f"the graph takes {found} and gives {outputs}; expected {inputs} and [{output!r}]",
            hint="it was made for other features; train again with this version",
        )


class Ranker:
    """Calibrated probabilities of what a viewer does with each candidate."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, model: Path | bytes, features: int, *, threads: int = 1) -> "Ranker":
        """Return the ranker of a file or of its bytes.

        Raises:
            InvalidInput: it cannot be loaded, or takes another number of features.
        """
        session = open_session(model, threads)
        _require(session, {"dense": [None, features], "categories": [None, len(CATEGORIES)]}, "p")
        return cls(session)

    def score(self, dense: Floats, categories: npt.NDArray[np.int64]) -> Floats:
        """Return (N, 4) probabilities by ``TASKS`` of (N, F) raw features and (N, 3) codes.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        p = _run(self._session, "p", {"dense": dense, "categories": categories})
        assert p.shape == (len(dense), len(TASKS))
        return p


class UserTower:
    """A viewer's vector, from what the viewer did lately."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, model: Path | bytes, *, threads: int = 1) -> "UserTower":
        """Return the tower of a file or of its bytes.

        Raises:
            InvalidInput: it cannot be loaded, or takes other inputs.
        """
        session = open_session(model, threads)
        _require(session, {"vectors": [None, WIDTH], "kinds": [None]}, "user")
        return cls(session)

    def vector(self, vectors: Floats, kinds: npt.NDArray[np.int64]) -> Floats:
        """Return (64,) the unit vector of (n, 64) vectors and (n,) kinds, oldest first.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        vector: Floats = _run(self._session, "user", {"vectors": vectors, "kinds": kinds})[0]
        return vector
