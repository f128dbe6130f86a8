"""Eight-bit numbers between a ranker's first and last layer: ranges, codes, what they add up to.

The ranges are the bundle's; codes follow from them and from the float32 weights.

Source: docs/decisions/0035-eight-bits-between-the-first-layer-and-the-last.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.models.arrays import read_arrays

Floats = npt.NDArray[np.float32]

RANGES_FILE = "eight_bits.npz"
TOP = 255
"""The largest code of a hidden unit, which is never negative."""
_LARGEST_CODE = 127
_LARGEST_BIAS = 2.0**30
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class EightBitLayer:
    """One layer: (I, W) int8 ``codes``, (W,) what one ``steps`` is worth, (W,) int32 ``bias``."""

    codes: npt.NDArray[np.int8]
    steps: Floats
    bias: npt.NDArray[np.int32]

    @classmethod
    def of(cls, weight: Floats, bias: Floats) -> "EightBitLayer":
        """Return the layer closest to (I, W) weights and (W,) bias, for inputs from 0 to 1."""
        needed = np.abs(bias) * (TOP / _LARGEST_BIAS)
        steps = np.maximum(np.abs(weight).max(axis=0) / _LARGEST_CODE, needed)
        steps = np.maximum(steps, np.finfo(np.float32).tiny).astype(np.float32)
        codes = np.rint(weight / steps).astype(np.int8)
        return cls(codes, steps, np.rint(bias * TOP / steps.astype(np.float64)).astype(np.int32))

    def summed(self, hidden: npt.NDArray[np.uint8]) -> Floats:
        """Return (N, W) sums for (N, I) codes, in whole numbers: what a runtime must say."""
        whole = hidden.astype(np.int32) @ self.codes.astype(np.int32) + self.bias
        return (whole * (self.steps * np.float32(1.0 / TOP))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class EightBits:
    """How large hidden units get: (W,) for each hidden layer but the last, first one first."""

    ranges: tuple[Floats, ...]

    @classmethod
    def load(cls, folder: Path) -> "EightBits | None":
        """Return what a bundle says of them, None where it says nothing.

        Raises:
            InvalidInput: the file is damaged, or its numbers are no sizes.
        """
        path = folder / RANGES_FILE
        if not path.exists():
            return None
        widths, ranges = read_arrays(path, ("widths", "ranges"), "list of ranges")
        whole = widths.ndim == ranges.ndim == 1 and widths.sum() == len(ranges)
        sizes = (ranges > 0.0) & np.isfinite(ranges)
        if not (whole and (widths > 0).all() and sizes.all() and ranges.dtype == np.float32):
            raise InvalidInput(
                f"{path.name} holds no ranges above 0, one for each unit of {widths.tolist()}",
                hint="train again or restore the bundle",
            )
        return cls(tuple(np.split(ranges, np.cumsum(widths)[:-1])))

    def save(self, folder: Path) -> None:
        """Write the file; the same numbers give the same bytes."""
        widths = np.array([len(of) for of in self.ranges], np.int64)
        np.savez(folder / RANGES_FILE, widths=widths, ranges=np.concatenate(self.ranges))

    @classmethod
    def of(cls, hidden: Sequence[Floats], share: float) -> "EightBits":
        """Return ranges that hold a share of (N, W) values of each unit, layer by layer."""
        return cls(
            tuple(
                np.maximum(np.quantile(values, share, axis=0), _LEAST).astype(np.float32)
                for values in hidden
            )
        )

    def fits(self, weights: Sequence[Floats]) -> bool:
        """Return whether these are ranges of a network of L layers."""
        widths = [weight.shape[1] for weight in weights[:-2]]
        return len(widths) > 0 and widths == [len(of) for of in self.ranges]

    def between(
        self, weights: Sequence[Floats], biases: Sequence[Floats]
    ) -> tuple[EightBitLayer, ...]:
        """Return the layers between the first and the last.

        Args:
            weights: L arrays, (inputs, outputs).
            biases: L - 2 arrays, (outputs,), of the layers in between.
        """
        ones = np.ones(weights[-2].shape[1], np.float32)
        after = (*self.ranges[1:], ones)
        return tuple(
            EightBitLayer.of(before[:, None] * weight / then, bias / then)
            for before, weight, then, bias in zip(
                self.ranges, weights[1:-1], after, biases, strict=True
            )
        )


def codes_of(hidden: Floats) -> npt.NDArray[np.uint8]:
    """Return the codes of hidden units; what lies below 0 is 0, what lies above 1 is 1."""
    codes: npt.NDArray[np.uint8] = np.rint(hidden * np.float32(TOP)).clip(0, TOP).astype(np.uint8)
    return codes


def in_eight_bits(
    first_sums: Floats, between: Sequence[EightBitLayer], last: Floats, last_bias: Floats
) -> Floats:
    """Return (N, O) probabilities, with whole numbers where a runtime has them.

    Args:
        first_sums: (N, W) of the first layer, over the ranges of its units.
        between: layers of eight bits.
        last: (W, O) float32.
        last_bias: (O,) or (1, O) float32.
    """
    sums = first_sums
    for layer in between:
        sums = layer.summed(codes_of(sums))
    logits = np.maximum(sums, 0.0) @ last + last_bias
    found: Floats = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
    return found
