"""The user tower as a request asks it: one pass over the graph's numbers, without the runtime.

For one viewer the runtime's own work is several times the arithmetic. Decision 0028.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features.layout import HISTORY, empty_user
from playbill.models.onnx_wire import Graph, Node
from playbill.models.runtimes import UserTower
from playbill.models.tasks import WIDTH
from playbill.models.user_history import HISTORY_TABLES, Lookup, history_inputs
from playbill.models.user_tower_kernel import fill_user

Floats = npt.NDArray[np.float32]
Numbers = tuple[Any, ...]

_MEANS = 2
_NO_VECTORS = np.empty((0, WIDTH), np.float32)
_TOLERANCE = 1e-5
"""Additions in another order; unit vectors of float32 differ by less."""


def _expected() -> list[Node]:
    """Return what the exporter writes."""
    nodes = []
    for p in range(_MEANS):
        nodes += [
            Node("Mul", ("history_weights", f"recency_{p}"), (f"w_{p}",)),
            Node("Reshape", (f"w_{p}", "row"), (f"w_row_{p}",)),
            Node("MatMul", (f"w_row_{p}", "history_vectors"), (f"pooled_{p}",)),
            Node("Reshape", (f"pooled_{p}", "flat"), (f"pooled_flat_{p}",)),
            Node("Add", (f"pooled_flat_{p}", "cold"), (f"total_{p}",)),
            Node("ReduceSum", (f"w_{p}", f"axes_{p}"), (f"sum_{p}",)),
            Node("Add", (f"sum_{p}", "cold_weight"), (f"weight_{p}",)),
            Node("Div", (f"total_{p}", f"weight_{p}"), (f"mean_{p}",)),
        ]
    return [
        *nodes,
        Node("Concat", ("mean_0", "mean_1"), ("both",)),
        Node("Gemm", ("both", "inner_weight", "inner_bias"), ("inner",)),
        Node("Relu", ("inner",), ("refined",)),
        Node("Gemm", ("refined", "outer_weight", "outer_bias"), ("outer",)),
        Node("Add", ("mean_0", "outer"), ("direction",)),
        Node("ReduceL2", ("direction",), ("length",)),
        Node("Max", ("length", "least"), ("safe",)),
        Node("Div", ("direction", "safe"), ("user",)),
    ]


class ServedUserTower:
    """A viewer's vector, from what the viewer did lately."""

    def __init__(self, whole: UserTower, numbers: Numbers | None) -> None:
        self._whole = whole
        self._numbers = numbers

    @classmethod
    def load(cls, path: Path) -> "ServedUserTower":
        """Return the tower of a file; a graph that the exporter did not write is run as it is.

        Raises:
            InvalidInput: it cannot be loaded, takes other inputs, or its numbers on their own say
                something else than the graph.
        """
        whole = UserTower.load(path)
        graph = Graph.read_or_none(path.read_bytes())
        if graph is None or list(graph.nodes) != _expected():
            return cls(whole, None)
        tower = cls(whole, _numbers(graph.constants))
        random = np.random.default_rng(0)
        for count in (0, 1, HISTORY):
            user = empty_user()
            user["history_count"] = count
            user["history_action"][0, :count] = random.integers(1, 64, count)
            vectors = random.normal(size=(count, WIDTH)).astype(np.float32)
            vectors[1:2] = 0.0
            lookup = partial(_looked_up, vectors)
            expected, found = cls(whole, None).vector(user, lookup), tower.vector(user, lookup)
            if not _close(found, expected):
                raise InvalidInput(
                    f"{path.name} gives other vectors than its numbers do",
                    hint="train again or restore the bundle",
                )
        return tower

    def vector(self, user: npt.NDArray[np.void], lookup: Lookup) -> Floats | None:
        """Return (64,) the unit vector of a viewer, None when it is not finite.

        Args:
            user: (1,) ``USER_RECORD``.
            lookup: where the vectors are; a video without one weighs nothing.

        Raises:
            DependencyUnavailable: the runtime gave up, where a runtime is needed.
        """
        if self._numbers is None:
            found = self._whole.vector(*history_inputs(user, lookup))
            return found if np.isfinite(found).all() else None
        count = int(user["history_count"][0])
        vectors = lookup(user["history"][0, :count].astype(np.int64)) if count else _NO_VECTORS
        out = np.empty(WIDTH, np.float32)
        return out if fill_user(vectors, user[0], HISTORY_TABLES, *self._numbers, out) else None


def _close(found: Floats | None, expected: Floats | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return np.allclose(found, expected, rtol=0.0, atol=_TOLERANCE)


def _looked_up(vectors: Floats, _rows: npt.NDArray[np.int64]) -> Floats:
    return vectors


def _numbers(constants: dict[str, npt.NDArray[Any]]) -> Numbers:
    of = constants.__getitem__
    recency = np.concatenate([of(f"recency_{place}") for place in range(_MEANS)])
    return (
        recency,
        (of("cold")[0], of("cold_weight")[()]),
        (of("inner_weight"), of("inner_bias")),
        (of("outer_weight"), of("outer_bias")),
        of("least")[()],
    )


def warm_user_tower() -> None:
    """Compile what makes a viewer's vector, for a process that has no bundle yet."""
    of = partial(np.zeros, dtype=np.float32)
    constants: dict[str, npt.NDArray[Any]] = {
        **{f"recency_{place}": of((1, HISTORY)) for place in range(_MEANS)},
        "cold": of((1, WIDTH)),
        "cold_weight": of(()),
        "least": of(()),
        "inner_weight": of((_MEANS * WIDTH, 1)),
        "inner_bias": of(1),
        "outer_weight": of((1, WIDTH)),
        "outer_bias": of(WIDTH),
    }
    fill_user(_NO_VECTORS, empty_user()[0], HISTORY_TABLES, *_numbers(constants), of(WIDTH))
