"""How sure a figure is: viewers drawn again with replacement, all their rows together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.training.metrics import Doubles, GroupAucs, Ints, Mask, Scores, weighted_aucs

LEVEL = 0.95
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Spread:
    """A 95 % interval by percentiles, and the standard error; None where too little was drawn."""

    low: float | None
    high: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Resamples:
    """B draws of U viewers: ``counts`` (B, U) how often each was drawn; ``users`` (N,) of rows."""

    counts: npt.NDArray[np.uint16]
    users: Ints

    @classmethod
    def draw(cls, users: Ints, resamples: int, seed: int) -> "Resamples":
        """Return draws over the viewers of N rows.

        Args:
            users: (N,) a number a viewer.
            resamples: how many draws.
            seed: the same seed draws the same viewers.
        """
        _, numbers = np.unique(users, return_inverse=True)
        size = int(numbers.max(initial=-1)) + 1
        random = np.random.default_rng(seed)
        counts = np.empty((resamples, size), np.uint16)
        for draw in range(resamples):
            counts[draw] = np.bincount(random.integers(0, size, size), minlength=size)
        return cls(counts, numbers.astype(np.int64))

    def aucs(self, labels: Mask, scores: Scores) -> Doubles:
        """Return (B,) the AUC of (N,) scores in each draw, NaN where a class was not drawn."""
        found = [
            weighted_aucs(labels, scores, self.counts[first : first + _AT_ONCE][:, self.users])
            for first in range(0, len(self.counts), _AT_ONCE)
        ]
        return np.concatenate(found) if found else np.empty(0)

    def ratio(self, above: Doubles, below: Doubles) -> Spread:
        """Return the spread of sum(above) by sum(below) over (N,) rows."""
        return spread_of(self._ratios(above, below))

    def group_means(self, found: GroupAucs) -> Doubles:
        """Return (B,) the mean over groups, each of which belongs to one viewer, in each draw."""
        above, below = np.zeros(len(self.users)), np.zeros(len(self.users))
        above[found.members] = found.aucs * found.sizes
        below[found.members] = found.sizes
        return self._ratios(above, below)

    def groups(self, found: GroupAucs) -> Spread:
        """Return the spread of a mean over groups."""
        return spread_of(self.group_means(found))

    def _ratios(self, above: Doubles, below: Doubles) -> Doubles:
        size = self.counts.shape[1]
        per_user = [
            np.bincount(self.users, weights=part, minlength=size) for part in (above, below)
        ]
        top, bottom = (self.counts.astype(np.float64) @ part for part in per_user)
        found: Doubles = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
        return found


def spread_of(found: Doubles) -> Spread:
    """Return the spread of (B,) draws; None where too many of them are NaN."""
    usable = found[~np.isnan(found)]
    if len(usable) < 2 or len(usable) < LEVEL * len(found):
        return Spread(None, None, None)
    low, high = np.quantile(usable, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Spread(float(low), float(high), float(usable.std(ddof=1)))
