"""What a region watches most now: exact top lists, kept up by looking at what changed.

Scores are forward-decayed against one landmark, so that untouched videos keep their order and
only touched ones can rise (Cormode et al.: Forward decay, ICDE 2009).
"""

import numpy as np
import numpy.typing as npt

from playbill.core import HOUR_MS
from playbill.features.definitions import Signal

TRENDING_LIST = 200
HALF_LIFE_MS = 6 * HOUR_MS
_RESCALE_AT = 200.0
_WEIGHTS = {
    Signal.CLICK: 0.2,
    Signal.LONG_VIEW: 1.0,
    Signal.LIKE: 2.0,
    Signal.ENGAGE: 1.5,
    Signal.NEGATIVE: -5.0,
}
WEIGHT_BY_SIGNAL = np.array([_WEIGHTS.get(signal, 0.0) for signal in Signal])


class Trending:
    """Top lists of G groups; group 0 is everywhere, group r the region with code r."""

    def __init__(self, groups: int) -> None:
        self.landmark_ms = 0
        self.scores = np.zeros((groups, 1 << 12))
        self.top = np.full((groups, TRENDING_LIST), -1, np.int64)

    def absorb(
        self,
        rows: npt.NDArray[np.int64],
        regions: npt.NDArray[np.int64],
        at_ms: npt.NDArray[np.int64],
        signals: npt.NDArray[np.float32],
        now_ms: int,
    ) -> None:
        """Count E events with known rows and bring the lists of their regions up to date."""
        gains = signals.astype(np.float64) @ WEIGHT_BY_SIGNAL
        counted = gains != 0.0
        if not counted.any():
            return
        rows, regions, at_ms, gains = (x[counted] for x in (rows, regions, at_ms, gains))
        self._settle(now_ms, int(rows.max()) + 1)
        gains *= np.exp2((at_ms - self.landmark_ms) / HALF_LIFE_MS)
        np.add.at(self.scores[0], rows, gains)
        self._refresh(0, rows)
        for region in np.unique(regions[regions > 0]):
            here = regions == region
            np.add.at(self.scores[region], rows[here], gains[here])
            self._refresh(int(region), rows[here])

    def drop(self, rows: npt.NDArray[np.int64]) -> None:
        """Take videos out of every list."""
        if not len(rows):
            return
        self.scores[:, rows[rows < self.scores.shape[1]]] = 0.0
        self.top[np.isin(self.top, rows)] = -1

    def _refresh(self, group: int, touched: npt.NDArray[np.int64]) -> None:
        listed = self.top[group]
        rows = np.union1d(listed[listed >= 0], touched)
        scores = self.scores[group, rows]
        rows, scores = rows[scores > 0.0], scores[scores > 0.0]
        best = rows[np.lexsort((rows, -scores))][:TRENDING_LIST]
        listed[:] = -1
        listed[: len(best)] = best

    def _settle(self, now_ms: int, rows: int) -> None:
        if self.landmark_ms == 0:
            self.landmark_ms = now_ms
        if (now_ms - self.landmark_ms) / HALF_LIFE_MS > _RESCALE_AT:
            self.scores *= np.exp2((self.landmark_ms - now_ms) / HALF_LIFE_MS)
            self.landmark_ms = now_ms
        width = self.scores.shape[1]
        if rows > width:
            while rows > width:
                width *= 2
            grown = np.zeros((len(self.scores), width))
            grown[:, : self.scores.shape[1]] = self.scores
            self.scores = grown
