"""What a place in the feed adds to an answer, learned beside a ranker so that it need not learn it.

Source: docs/decisions/0041-what-a-place-does-is-learned-beside-the-ranker.md
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.models import TASKS
from playbill.training.dataset import Rows

PLACES = 64
"""Places further down count as the last of these."""
_STRIDE = 10.0
"""What a step is worth: the optimiser moves every number by about the same, and log-odds of places
go further than weights of a network do."""
_TOLD = 10


class PositionBias(nn.Module):
    """Log-odds by surface and place, for each task; 0 where nobody said the place.

    Args:
        surfaces: codes of surfaces, that of none included.
    """

    def __init__(self, surfaces: int) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(surfaces, PLACES, len(TASKS)))

    def odds(self) -> Tensor:
        """Return (surfaces, places, 4) log-odds."""
        return self.steps * _STRIDE

    def forward(self, surfaces: Tensor, positions: Tensor) -> Tensor:
        """Return (N, 4) log-odds for (N,) surface codes and (N,) positions, -1 for unknown."""
        known = (surfaces >= 0) & (surfaces < len(self.steps)) & (positions >= 0)
        surface = torch.where(known, surfaces, torch.zeros_like(surfaces))
        place = positions.clamp(0, PLACES - 1)
        found: Tensor = self.odds()[surface, place] * known.unsqueeze(1)
        return found

    def of(self, rows: Rows, part: npt.NDArray[np.int64]) -> Tensor:
        """Return (n, 4) log-odds of some rows."""
        surfaces, positions = rows.categories[part, 0], rows.positions[part]
        found: Tensor = self(torch.from_numpy(surfaces), torch.from_numpy(positions))
        return found

    def described(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the log-odds of a click at the first places over those of the first, by surface.

        Surfaces without a place are left out.
        """
        click = self.odds().detach()[:, :_TOLD, TASKS.index("click")].numpy()
        told = ("none", *names)
        return {
            told[surface]: [round(float(value), 4) for value in places - places[0]]
            for surface, places in enumerate(click)
            if places.any()
        }
