"""What runs a ranker's layers, once what comes before them is said: one of two, asked alike."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from playbill.core import DependencyUnavailable
from playbill.models.eight_bits import TOP, EightBitLayer
from playbill.models.runtimes import REFUSALS, open_session
from playbill.models.silent_onnx import onnxruntime
from playbill.models.whole_layers_kernel import fill_logits
from playbill.models.whole_numbers import PER_BYTE, PER_WORD, packed

Floats = npt.NDArray[np.float32]

_TOP_WORD = 32_700
_LARGEST_SUM = 65_000
"""A sum of products stays below 2^31: so much is an input or a weight at most, and so much are all
weights of an output."""
_LEAST = np.float32(1e-9)


@dataclass(slots=True)
class Asked:
    """Arrays for N candidates, for their caller to fill.

    ``x`` (N, I) what the first layer reads, ``first_bias`` (1, W) and ``last_bias`` (1, O).
    """

    x: Floats
    first_bias: Floats
    last_bias: Floats

    @classmethod
    def of(cls, count: int, first: Floats, last: Floats) -> "Asked":
        """Return zeros for a first layer of (I, W) weights and a last one of (W, O)."""
        sizes = ((count, first.shape[0]), (1, first.shape[1]), (1, last.shape[1]))
        return cls(*(np.zeros(size, np.float32) for size in sizes))


class Runner(Protocol):
    """Runs layers. Not for two threads at once: it reuses buffers."""

    def asked(self, count: int) -> Asked:
        """Return arrays to fill for so many candidates."""
        ...

    def probabilities(self) -> Floats:
        """Return (N, O) probabilities for what was filled last, for the caller to keep.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        ...


class RuntimeLayers:
    """By a graph of their own in ONNX Runtime, which reads and writes arrays in place.

    Args:
        graph: of the layers, ``layers_graph`` or ``eight_bit_graph``.
        first: (I, W) weights of the first layer.
        last: (W, O) weights of the last one, where there is more than one.
    """

    def __init__(self, graph: bytes, first: Floats, last: Floats) -> None:
        self._ends = first, last
        self._session = open_session(graph, 1)
        self._bind(1)

    def asked(self, count: int) -> Asked:
        """Return arrays for so many candidates; requests are mostly of one size."""
        if count != len(self._asked.x):
            self._bind(count)
        return self._asked

    def probabilities(self) -> Floats:
        """Return (N, O) probabilities for what was filled last.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        try:
            self._session.run_with_iobinding(self._binding)
        except REFUSALS as error:
            raise DependencyUnavailable(f"the ranker's layers failed: {error}") from error
        return self._p.copy()

    def _bind(self, count: int) -> None:
        self._asked = Asked.of(count, *self._ends)
        self._p = np.zeros((count, self._asked.last_bias.shape[1]), np.float32)
        self._binding: Any = self._session.io_binding()
        for name in ("x", "first_bias", "last_bias"):
            value = onnxruntime.OrtValue.ortvalue_from_numpy(getattr(self._asked, name))
            self._binding.bind_ortvalue_input(name, value)
        self._binding.bind_ortvalue_output("p", onnxruntime.OrtValue.ortvalue_from_numpy(self._p))


class WholeLayers:
    """In whole numbers: sixteen bits in the first layer, eight in between, then float32.

    For machines of ``multiplies_whole_numbers``.

    Args:
        first: (I, W) weights of the first layer, such that hidden units lie between 0 and 1.
        bounds: (I,) which the size of no input exceeds.
        between: layers of eight bits, at least one.
        last: (W, O) weights of the last layer.

    Source: docs/decisions/0051-a-stretch-of-candidates-passes-all-layers.md
    """

    def __init__(
        self, first: Floats, bounds: Floats, between: tuple[EightBitLayer, ...], last: Floats
    ) -> None:
        self._ends = first, last
        self._asked = Asked.of(1, first, last)
        bounds = np.maximum(bounds, _LEAST)
        weights = first * bounds[:, None]
        sizes = np.abs(weights)
        worth = np.maximum(sizes.sum(axis=0) / _LARGEST_SUM, sizes.max(axis=0) / _TOP_WORD)
        worth = np.maximum(worth, _LEAST)
        words = packed(np.rint(weights / worth).astype(np.int16), PER_WORD)
        steps = _filled(worth * np.float32(TOP / _TOP_WORD), words)
        self._first = (np.float32(_TOP_WORD) / bounds).astype(np.float32), words, steps
        self._between = tuple(
            _packed_layer(layer, told=place < len(between) - 1)
            for place, layer in enumerate(between)
        )
        self._last = _filled(np.ascontiguousarray(last.T), self._between[-1][0])

    def asked(self, count: int) -> Asked:
        """Return arrays for so many candidates."""
        if count != len(self._asked.x):
            self._asked = Asked.of(count, *self._ends)
        return self._asked

    def probabilities(self) -> Floats:
        """Return (N, O) probabilities for what was filled last."""
        asked = self._asked
        p = np.empty((len(asked.x), asked.last_bias.shape[1]), np.float32)
        fill_logits(
            asked.x, asked.first_bias, self._first, self._between, self._last, asked.last_bias, p
        )
        np.exp(np.negative(p, out=p), out=p)
        p += np.float32(1.0)
        return np.reciprocal(p, out=p)


def _packed_layer(layer: EightBitLayer, *, told: bool) -> tuple[Any, Floats, Floats]:
    """Return packed codes, what a sum is worth, and bias: in codes if another layer is told."""
    weights = packed(layer.codes, PER_BYTE)
    steps = layer.steps if told else layer.steps * np.float32(1.0 / TOP)
    return weights, _filled(steps, weights), _filled(layer.bias * steps, weights)


def _filled(numbers: Floats, weights: npt.NDArray[Any]) -> Floats:
    """Return (..., W) numbers with zeros up to the outputs of packed weights."""
    lacking = weights.shape[0] * weights.shape[2] - numbers.shape[-1]
    widths = [(0, 0)] * (numbers.ndim - 1) + [(0, lacking)]
    return np.pad(numbers, widths).astype(np.float32)


def warm_whole_layers(between: int) -> None:
    """Compile what so many layers of eight bits are asked by."""
    one, none = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    layers = (EightBitLayer.of(one, none),) * between
    WholeLayers(one, none, layers, one).probabilities()
