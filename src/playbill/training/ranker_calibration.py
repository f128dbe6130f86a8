"""How a ranker's logits become probabilities: a line a task, and a shift a surface on top of it.

Source: docs/decisions/0037-each-surface-is-calibrated.md
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.models import TASKS
from playbill.models.calibration import fit_platt, shifts_of

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What rows that did not train say of logits.

    ``lines``: scale and shift of each task's logits. ``shifts`` (surfaces + 1, 4): what is added to
    that on each surface.
    """

    lines: list[tuple[float, float]]
    shifts: Floats

    @classmethod
    def fit(
        cls,
        logits: Floats,
        labels: Mask,
        known: Mask,
        surfaces: npt.NDArray[np.int64],
        count: int,
        wanted: Mask,
    ) -> "Calibration":
        """Return what makes (N, 4) logits say as often as (N, 4) labels happen.

        Args:
            logits: of rows that did not train.
            labels: of the same rows.
            known: (N, 4) which of the labels count.
            surfaces: (N,) codes of theirs.
            count: how many codes there are, that of no known surface included.
            wanted: (4,) tasks; the others stay as they are.
        """
        lines, shifts = [(1.0, 0.0)] * len(TASKS), np.zeros((count, len(TASKS)), np.float32)
        for k in np.flatnonzero(wanted & known.any(axis=0)):
            rows = known[:, k]
            raw, happened = logits[rows, k], labels[rows, k]
            lines[k] = scale, shift = fit_platt(raw, happened)
            calibrated = raw * np.float32(scale) + np.float32(shift)
            shifts[:, k] = shifts_of(calibrated, happened, surfaces[rows], count)
        return cls(lines, shifts)

    def described(self) -> dict[str, Any]:
        """Return the numbers, by task and by surface, for a manifest."""
        return {
            "calibration": {
                task: {"scale": round(line[0], 6), "shift": round(line[1], 6)}
                for task, line in zip(TASKS, self.lines, strict=True)
            },
            "surface_shifts": [
                {task: round(float(shift), 6) for task, shift in zip(TASKS, row, strict=True)}
                for row in self.shifts
            ],
        }
