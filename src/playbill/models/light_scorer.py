"""The light scorer: one weight a feature, for hundreds of candidates in microseconds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.models.arrays import read_arrays
from playbill.models.light_kernel import weigh

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LightScorer:
    """``weights`` (F,) over raw features and ``bias``."""

    weights: Floats
    bias: np.float32

    @classmethod
    def load(cls, path: Path) -> "LightScorer":
        """Return the scorer of a file.

        Raises:
            InvalidInput: the file is missing, damaged, or holds numbers that are not finite.
        """
        weights, bias = read_arrays(path, ("weights", "bias"), "light scorer")
        if weights.ndim != 1 or bias.ndim or not np.isfinite([*weights, bias]).all():
            raise InvalidInput(
                f"{path.name} holds weights of shape {weights.shape}, or numbers that are not "
                "finite; (F,) finite weights and one bias fit",
                hint="train again or restore the bundle",
            )
        return cls(weights, np.float32(bias))

    def save(self, path: Path) -> None:
        """Write the scorer; the same numbers give the same bytes."""
        np.savez(path, weights=self.weights, bias=self.bias)

    def score(self, dense: Floats) -> Floats:
        """Return (C,) estimates of utility of (C, F) raw features; NaN counts as 0."""
        out = np.empty(len(dense), np.float32)
        weigh(dense, self.weights, self.bias, out)
        return out
