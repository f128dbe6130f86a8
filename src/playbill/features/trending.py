"""What a region watches most now: exact top lists, kept up by looking at what changed.

Scores are forward-decayed against one landmark, so that untouched videos keep their order (Cormode
et al.: Forward decay, ICDE 2009). Behind each list stands a reserve as long as the list. Nothing
outside both ranks before the group's ``_bound``; a list that falls below it is made anew.
"""

import numpy as np
import numpy.typing as npt

from playbill.core import HOUR_MS
from playbill.features.definitions import Signal
from playbill.features.leaders_kernel import leaders

Rows = npt.NDArray[np.int64]

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
    """Top lists of G groups; group 0 is everywhere, group r the region with code r.

    Args:
        groups: how many.
        places: how long each list is.
    """

    def __init__(self, groups: int, places: int = TRENDING_LIST) -> None:
        self.landmark_ms = 0
        self.scores = np.zeros((groups, 1 << 12))
        self.top = np.full((groups, places), -1, np.int64)
        self._places = places
        self._ranked: list[Rows] = [np.empty(0, np.int64) for _ in range(groups)]
        self._bound: list[tuple[float, int] | None] = [None] * groups

    def absorb(
        self,
        rows: Rows,
        regions: Rows,
        at_ms: Rows,
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

    def drop(self, rows: Rows) -> None:
        """Take videos out of every list."""
        if not len(rows):
            return
        self.scores[:, rows[rows < self.scores.shape[1]]] = 0.0
        for group in range(len(self.scores)):
            self._refresh(group, rows)

    def restore(self, landmark_ms: int, scores: npt.NDArray[np.float64]) -> None:
        """Stand where another one stood."""
        self.landmark_ms = landmark_ms
        self.scores = scores
        for group in range(len(scores)):
            self._list(group, self._leaders(group))

    def _refresh(self, group: int, touched: Rows) -> None:
        """Bring a list up to date, given the rows whose scores changed."""
        rows = np.union1d(self._ranked[group], touched)
        ranked = self._order(group, rows[rows < self.scores.shape[1]])
        bound = self._bound[group]
        if bound is not None and self._falls_short(group, ranked, bound):
            ranked = self._leaders(group)
        self._list(group, ranked)

    def _falls_short(self, group: int, ranked: Rows, bound: tuple[float, int]) -> bool:
        """Return whether something outside might rank before the last place of the list."""
        if len(ranked) < self._places:
            return True
        last = int(ranked[self._places - 1])
        return (-float(self.scores[group, last]), last) > bound

    def _order(self, group: int, rows: Rows) -> Rows:
        """Return the rows with a score, best first, the older of two equals before the newer."""
        scores = self.scores[group, rows]
        rows, scores = rows[scores > 0.0], scores[scores > 0.0]
        ordered: Rows = rows[np.lexsort((rows, -scores))]
        return ordered

    def _leaders(self, group: int) -> Rows:
        """Return the best of all rows in order, one more than list and reserve hold."""
        self._bound[group] = None
        found = np.empty(2 * self._places + 1, np.int64)
        return self._order(group, found[: leaders(self.scores[group], found)])

    def _list(self, group: int, ranked: Rows) -> None:
        """Publish the first rows, keep as many in reserve, and note the best one left out."""
        kept = 2 * self._places
        if len(ranked) > kept:
            out = int(ranked[kept])
            key = (-float(self.scores[group, out]), out)
            bound = self._bound[group]
            self._bound[group] = key if bound is None else min(bound, key)
        self._ranked[group] = ranked[:kept]
        best = ranked[: self._places]
        self.top[group] = -1
        self.top[group, : len(best)] = best

    def _settle(self, now_ms: int, rows: int) -> None:
        if self.landmark_ms == 0:
            self.landmark_ms = now_ms
        if (now_ms - self.landmark_ms) / HALF_LIFE_MS > _RESCALE_AT:
            factor = np.exp2((self.landmark_ms - now_ms) / HALF_LIFE_MS)
            self.restore(now_ms, self.scores * factor)
        width = self.scores.shape[1]
        if rows > width:
            while rows > width:
                width *= 2
            grown = np.zeros((len(self.scores), width))
            grown[:, : self.scores.shape[1]] = self.scores
            self.scores = grown
