"""What a showing foretells: how often videos are clicked and viewed long on each surface, lately.

A click where half of all showings are clicked says less than one where a tenth are. A viewer's
clicks over those foretold, and a video's, can be compared across surfaces.

Source: docs/decisions/0036-clicks-over-those-foretold.md
"""

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS
from playbill.features.definitions import Signal

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

FORETOLD = (Signal.CLICK, Signal.LONG_VIEW)
HALF_LIFE_MS = 14 * DAY_MS
PRIORS = 0.3, 0.2
"""Of clicks and of long views, on a surface where nothing was shown yet."""
STRENGTH = 100.0
"""Showings that the priors weigh."""
_SURFACES = 256
_COUNTED = [Signal.IMPRESSION, *FORETOLD]


class SurfaceRates:
    """Decayed sums of each surface, moved once an epoch. Code 0 is no known surface.

    ``sums`` (256, 3): impressions, clicks, long views, as they stand at ``at_ms``.
    """

    def __init__(self) -> None:
        self.at_ms = 0
        self.sums = np.zeros((_SURFACES, len(_COUNTED)))

    def foretold(self) -> Floats:
        """Return (256, 2) clicks and long views for one showing on each surface, 1 at most."""
        shown = self.sums[:, :1] + STRENGTH
        rates = (self.sums[:, 1:] + np.multiply(PRIORS, STRENGTH)) / shown
        return np.minimum(rates, 1.0).astype(np.float32)

    def absorb(self, surfaces: Codes, signals: Floats, now_ms: int) -> None:
        """Count the (E,) events of one epoch, all of them as of its instant.

        Args:
            surfaces: (E,) codes.
            signals: (E, S) what each event adds, by ``Signal``.
            now_ms: the epoch's instant.
        """
        if self.at_ms:
            self.sums *= np.exp2(-(now_ms - self.at_ms) / HALF_LIFE_MS)
        self.at_ms = now_ms
        for place, signal in enumerate(_COUNTED):
            gains = np.bincount(surfaces, signals[:, signal], _SURFACES)
            self.sums[:, place] += gains

    def restore(self, at_ms: int, sums: npt.NDArray[np.float64]) -> None:
        """Stand where another one stood."""
        self.at_ms, self.sums = at_ms, sums
