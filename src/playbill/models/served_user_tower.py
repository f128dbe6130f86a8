"""The user tower as a request asks it: one pass over the graph's numbers, without the runtime.

For one viewer the runtime's own work is several times the arithmetic. Decisions 0028 and 0030.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features import Rest
from playbill.features.layout import HISTORY
from playbill.models.onnx_wire import Graph
from playbill.models.runtimes import UserTower
from playbill.models.tasks import WIDTH
from playbill.models.user_history import KINDS, Lookup, history_inputs
from playbill.models.user_history_kernel import fill_taken, keep_known
from playbill.models.user_tower_kernel import PARTS, fill_user

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_TOLERANCE = 1e-4
"""Additions in another order; unit vectors of float32 differ by less."""
_UNIT = 1e-3


class ServedUserTower:
    """A viewer's vector, from what the viewer took to lately.

    Args:
        tower: the graph, or all its numbers end to end.
    """

    def __init__(self, tower: UserTower | Floats) -> None:
        self._tower = tower

    @classmethod
    def load(cls, path: Path, rest: Rest = lambda: None) -> "ServedUserTower":
        """Return the tower of a file, tried on histories of every length, with rests in between.

        A graph with other constants than the exporter writes is run as it is.

        Raises:
            InvalidInput: it cannot be loaded, takes other inputs, gives no unit vectors, or its
                numbers on their own say something else than the graph.
        """
        whole = UserTower.load(path)
        numbers = _numbers(path)
        tower = cls(whole if numbers is None else numbers)
        random = np.random.default_rng(0)
        for count in range(HISTORY + 1):
            rest()
            vectors = random.normal(scale=0.125, size=(count, WIDTH)).astype(np.float32)
            kinds = random.integers(0, KINDS, count)
            expected, found = whole.vector(vectors, kinds), tower._vector(vectors, kinds)
            if not abs(float(expected @ expected) - 1.0) < _UNIT:
                raise InvalidInput(
                    f"{path.name} gives no unit vector for a history of {count}",
                    hint="train again or restore the bundle",
                )
            if found is None or not np.allclose(found, expected, rtol=0.0, atol=_TOLERANCE):
                raise InvalidInput(
                    f"{path.name} gives other vectors than its numbers do",
                    hint="train again or restore the bundle",
                )
        return tower

    def vector(self, user: npt.NDArray[np.void], lookup: Lookup) -> Floats | None:
        """Return (64,) the unit vector of a viewer, None when it is not finite.

        Args:
            user: (1,) ``USER_RECORD``.
            lookup: where the vectors are; a video without one is left out.

        Raises:
            DependencyUnavailable: the runtime gave up, where a runtime is needed.
        """
        return self._vector(*history_inputs(user, lookup))

    def _vector(self, vectors: Floats, kinds: Ints) -> Floats | None:
        if isinstance(self._tower, UserTower):
            found = self._tower.vector(vectors, kinds)
            return found if np.isfinite(found).all() else None
        out = np.empty(WIDTH, np.float32)
        return out if fill_user(vectors, kinds, self._tower, out) else None


def _numbers(path: Path) -> Floats | None:
    """Return all parts of a graph end to end; None where it does not hold just these."""
    graph = Graph.read_or_none(path.read_bytes())
    if graph is None:
        return None
    parts = []
    for name, (rows, columns) in PARTS:
        part = graph.constants.get(name)
        if part is None or part.dtype != np.float32 or part.size != rows * columns:
            return None
        parts.append(part.ravel())
    return np.concatenate(parts)


def warm_user_tower(user: npt.NDArray[np.void]) -> None:
    """Compile what makes a viewer's vector, for a process that has no bundle yet.

    Args:
        user: (1,) ``USER_RECORD``, as a request has it.
    """
    numbers = np.zeros(sum(rows * columns for _, (rows, columns) in PARTS), np.float32)
    rows, kinds = np.empty(HISTORY, np.int64), np.empty(HISTORY, np.int64)
    fill_taken(user, rows, kinds)
    vectors = np.zeros((1, WIDTH), np.float32)
    count = keep_known(vectors, kinds[:1])
    fill_user(vectors[:count], kinds[:count], numbers, np.empty(WIDTH, np.float32))
