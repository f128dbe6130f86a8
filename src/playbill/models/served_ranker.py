"""The ranker as a request asks it: what is the viewer's once, the candidates' in one pass.

The graph of the bundle says what is meant; this says the same with less work, which is tried
whenever a bundle is loaded. Decisions 0028 and 0035.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features import Rest
from playbill.models.curves import curves_of
from playbill.models.eight_bits import EightBits, in_eight_bits
from playbill.models.layers_graph import eight_bit_graph, layers_graph
from playbill.models.onnx_wire import Graph, Node
from playbill.models.runtimes import Ranker
from playbill.models.served_kernel import fill_layers_input
from playbill.models.served_layers import Runner, RuntimeLayers, WholeLayers, warm_whole_layers
from playbill.models.tasks import CATEGORIES, TASKS
from playbill.models.whole_product_kernel import multiplies_whole_numbers

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_TRIED_ROWS = 32
_USUAL_BETWEEN = 2
"""Layers between the first and the last of a ranker of the usual shape."""
_TOLERANCE = 1e-5
"""Additions in another order; probabilities of float32 differ by less."""
_ROUNDED = 5e-3
"""A code that is rounded the other way; products that overflow are off by much more."""
_NUMBERS = (
    Node("Sub", ("dense", "mean"), ("centred",)),
    Node("Mul", ("centred", "scale"), ("scaled",)),
    Node("Abs", ("scaled",), ("size",)),
    Node("LessOrEqual", ("size", "finite"), ("usable",)),
    Node("Where", ("usable", "scaled", "zero"), ("cleaned",)),
)
_STRAIGHT = (Node("Clip", ("cleaned", "least", "most"), ("x",)),)
_BENT = (
    Node("Clip", ("cleaned", "least", "most"), ("straight",)),
    Node("Unsqueeze", ("straight", "last_axis"), ("column",)),
    Node("Sub", ("column", "curve_starts"), ("beyond",)),
    Node("Mul", ("beyond", "curve_rates"), ("way",)),
    Node("Clip", ("way", "zero", "one"), ("along",)),
    Node("Mul", ("along", "curve_bends"), ("parts",)),
    Node("ReduceSum", ("parts", "last_axis"), ("bent",)),
    Node("Add", ("straight", "bent"), ("x",)),
)
_CODES = (
    Node("GreaterOrEqual", ("categories", "code_zero"), ("not_below",)),
    Node("Less", ("categories", "sizes"), ("not_above",)),
    Node("And", ("not_below", "not_above"), ("known",)),
    Node("Where", ("known", "categories", "code_zero"), ("codes",)),
    Node("Add", ("codes", "offsets"), ("places",)),
    Node("Gather", ("embeddings", "places"), ("gathered",)),
    Node("Reshape", ("gathered", "flat"), ("embedded",)),
    Node("Concat", ("x", "embedded"), ("input",)),
)
"""What the exporter puts before the layers: numbers, straight or bent, and codes."""
_AFTER = (
    Node("Gather", ("codes", "surface_place"), ("surface",)),
    Node("Gather", ("shifts", "surface"), ("shift",)),
    Node("Add", ("logits", "shift"), ("shifted",)),
    Node("Sigmoid", ("shifted",), ("p",)),
)
"""And behind them."""


class Layers:
    """A ranker's graph, taken apart. Not for two threads at once: it reuses buffers.

    Args:
        constants: of the graph.
        count: how many layers it has.
        viewers: (F,) which features are the same for all candidates of a request.
        eight_bits: ranges for eight-bit layers between the first and the last, None for none.
    """

    def __init__(
        self,
        constants: dict[str, npt.NDArray[Any]],
        count: int,
        viewers: Sequence[bool],
        eight_bits: EightBits | None = None,
    ) -> None:
        of = constants.__getitem__
        width = of("embeddings").shape[1]
        weights = [of(f"weight_{place}") for place in range(count)]
        mask = np.array(viewers, np.bool_)
        ours, theirs = np.flatnonzero(mask), np.flatnonzero(~mask)
        fixed = len(mask) + np.arange((len(CATEGORIES) - 1) * width)
        last = fixed[-1] + 1 + np.arange(width)
        self._columns = ours, theirs
        self._numbers = of("mean"), of("scale"), of("finite")[()], of("most")[()]
        curves = curves_of(constants)
        self._curves = tuple(
            np.ascontiguousarray(np.stack(curves)[:, columns].transpose(2, 0, 1))
            for columns in self._columns
        )
        self._codes = of("sizes"), of("offsets"), of("embeddings")
        scale = np.float32(1.0) if eight_bits is None else 1.0 / eight_bits.ranges[0]
        first = (weights[0] * scale).astype(np.float32)
        biases = [of(f"bias_{place}") for place in range(count)]
        self._last_biases = of("shifts") + (biases[-1] if count > 1 else np.float32(0.0))
        self._first = first[np.concatenate([ours, fixed])], biases[0] * scale
        weights[0] = first[np.concatenate([theirs, last])]
        biases = biases[1:-1]
        self._between = eight_bits.between(weights, biases) if eight_bits else ()
        self._ends = weights[0], weights[-1]
        self._runner = self._runner_of(weights, biases)
        self._asked = self._runner.asked(1)

    def _runner_of(self, weights: list[Floats], biases: list[Floats]) -> Runner:
        first, last = weights[0], weights[-1]
        if not self._between:
            return RuntimeLayers(layers_graph(weights, biases), first, last)
        if multiplies_whole_numbers():
            return WholeLayers(first, self._bounds(), self._between, last)
        return RuntimeLayers(eight_bit_graph(first, self._between, last), first, last)

    def _bounds(self) -> Floats:
        """Return (I,) which the size of no candidate's input exceeds."""
        most, bends = self._numbers[-1], self._curves[1][:, 2]
        found: Floats = np.concatenate(
            [most + np.abs(bends).sum(axis=0), np.abs(self._codes[2]).max(axis=0)]
        )
        return found

    def score(self, dense: Floats, categories: Ints) -> Floats:
        """Return (N, 4) probabilities of the (N, F) features and (N, 3) codes of one request.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        if not len(dense):
            return np.empty((0, len(TASKS)), np.float32)
        self._asked = asked = self._runner.asked(len(dense))
        fill_layers_input(
            dense, categories, self._columns, self._numbers, self._curves, self._codes,
            self._first, asked.x, asked.first_bias,
        )  # fmt: skip
        surface = categories[0, 0]
        known = 0 <= surface < len(self._last_biases)
        asked.last_bias[0] = self._last_biases[surface if known else 0]
        return self._runner.probabilities()

    def in_whole_numbers(self) -> Floats:
        """Return what the eight-bit layers should have said of the rows asked about last."""
        asked = self._asked
        sums = asked.x @ self._ends[0] + asked.first_bias
        return in_eight_bits(sums, self._between, self._ends[1], asked.last_bias)


class ServedRanker:
    """Calibrated probabilities for the candidates of one request.

    Args:
        scorer: what answers; others that were tried are let go of.
        eight_bits: whether some of its layers are of eight bits.
    """

    def __init__(self, scorer: Ranker | Layers, *, eight_bits: bool = False) -> None:
        self._scorer = scorer
        self.eight_bits = eight_bits

    @classmethod
    def load(
        cls,
        path: Path,
        viewers: Sequence[bool],
        eight_bits: EightBits | None = None,
        rest: Rest = lambda: None,
    ) -> "ServedRanker":
        """Return the ranker of a file; a graph that the exporter did not write is run as it is.

        Args:
            path: the file.
            viewers: (F,) which features are the same for all candidates of a request.
            eight_bits: of the same bundle; used where this machine multiplies bytes exactly.
            rest: called between two parts of the work.

        Raises:
            InvalidInput: it cannot be loaded, takes another number of features, or its layers on
                their own say something else than the graph.
        """
        whole = Ranker.load(path, len(viewers))
        graph = Graph.read_or_none(path.read_bytes())
        count = layers_of(graph) if graph else 0
        if graph is None or not count:
            return cls(whole)
        rest()
        layers = Layers(graph.constants, count, viewers)
        dense, categories = _tried(graph, viewers)
        expected, found = whole.score(dense, categories), layers.score(dense, categories)
        rest()
        if not np.allclose(found, expected, rtol=0.0, atol=_TOLERANCE):
            raise InvalidInput(
                f"{path.name} gives {expected[0]} and its layers give {found[0]}",
                hint="train again or restore the bundle",
            )
        if eight_bits is None:
            return cls(layers)
        if not eight_bits.fits([graph.constants[f"weight_{place}"] for place in range(count)]):
            raise InvalidInput(
                f"the ranges of eight bits are of another network than {path.name}",
                hint="train again or restore the bundle",
            )
        lighter = Layers(graph.constants, count, viewers, eight_bits)
        said = lighter.score(dense, categories)
        exact = np.allclose(said, lighter.in_whole_numbers(), rtol=0.0, atol=_ROUNDED)
        return cls(lighter, eight_bits=True) if exact else cls(layers)

    def score(self, dense: Floats, categories: Ints) -> Floats:
        """Return (N, 4) probabilities by ``TASKS`` of N candidates of one request.

        Args:
            dense: (N, F) raw features; the viewer's are those of the first row.
            categories: (N, 3) codes; surface and region are those of the first row.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        return self._scorer.score(dense, categories)


def layers_of(graph: Graph) -> int:
    """Return how many layers a graph of the exporter has, 0 for a graph of another kind."""
    count = sum(node.kind == "Gemm" for node in graph.nodes)
    bent = _BENT[1] in graph.nodes
    expected, x = [*_NUMBERS, *(_BENT if bent else _STRAIGHT), *_CODES], "input"
    for place in range(count):
        last = place == count - 1
        total = "logits" if last else f"sum_{place}"
        expected.append(Node("Gemm", (x, f"weight_{place}", f"bias_{place}"), (total,)))
        x = f"hidden_{place}"
        expected += _AFTER if last else [Node("Relu", (total,), (x,))]
    return count if list(graph.nodes) == expected else 0


def _tried(graph: Graph, viewers: Sequence[bool]) -> tuple[Floats, Ints]:
    """Return features and codes of a made-up request: usual ones, odd ones, and none at all."""
    random = np.random.default_rng(0)
    mean, scale = graph.constants["mean"], graph.constants["scale"]
    spread = random.normal(0.0, 3.0, (_TRIED_ROWS, len(mean)))
    dense = (mean + spread / np.maximum(scale, 1e-6)).astype(np.float32)
    dense[:, np.array(viewers, np.bool_)] = dense[0, np.array(viewers, np.bool_)]
    theirs = np.flatnonzero(~np.array(viewers, np.bool_))
    if len(theirs):
        dense[1, theirs[0]], dense[2, theirs[0]], dense[3, theirs[0]] = np.nan, np.inf, -np.inf
    sizes = graph.constants["sizes"]
    categories = random.integers(-2, sizes + 2, (_TRIED_ROWS, len(sizes)))
    categories[:, :-1] = categories[0, :-1]
    return dense, categories


def warm_layers() -> None:
    """Compile what comes before the layers, for a process that has no bundle yet."""
    nothing, codes = np.zeros(2, np.float32), np.zeros(len(CATEGORIES), np.int64)
    limit, weights = np.ones((), np.float32), np.zeros((2 + len(CATEGORIES), len(TASKS)))
    constants: dict[str, npt.NDArray[Any]] = {
        "mean": nothing,
        "scale": nothing,
        "finite": limit,
        "most": limit,
        "sizes": codes + 1,
        "offsets": codes,
        "embeddings": np.zeros((1, 1), np.float32),
        "weight_0": weights.astype(np.float32),
        "bias_0": np.zeros(len(TASKS), np.float32),
        "shifts": np.zeros((1, len(TASKS)), np.float32),
    }
    Layers(constants, 1, (True, False)).score(np.zeros((1, 2), np.float32), codes[None, :])
    if multiplies_whole_numbers():
        warm_whole_layers(_USUAL_BETWEEN)
