"""How much of what is exactly nearest a search finds, and how long it takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.app.clock import SystemClock
from playbill.benchmarks.churn import Catalogue
from playbill.benchmarks.world import Floats, Rows
from playbill.features.layout import AGE_UNKNOWN
from playbill.retrieval import CatalogueVectors, best_rows, region_bit
from playbill.retrieval.quality import exactly_nearest

_NORMAL_95 = 1.96
"""Standard errors to either side of a mean within which 95 of 100 lie."""


@dataclass(frozen=True, slots=True)
class Asked:
    """(Q, 64) viewers' vectors, (Q,) codes of the regions they ask from, how many each wants."""

    queries: Floats
    regions: Rows
    count: int

    def exact(self, living: Catalogue, rows: int) -> Rows:
        """Return (Q, ``count``) rows among the first ``rows``, -1 where fewer may be shown."""
        return exactly_nearest(
            living.vectors[:rows], living.items[:rows], self.queries, self.regions, self.count
        )


@dataclass(frozen=True, slots=True)
class Searched:
    """What searches found of (Q, K) ``exact`` rows, of which those from ``before`` on came later.

    ``found`` (Q, K); ``us`` (Q,) microseconds of each search.
    """

    exact: Rows
    before: int
    found: npt.NDArray[np.bool_]
    us: npt.NDArray[np.float64]

    def row(self, index: str) -> dict[str, Any]:
        """Return its figures; ``recall_of_new`` is None where no newcomer is near."""
        real, new = self.exact >= 0, self.exact >= self.before
        return {
            "index": index,
            "recall": round(float(self.found[real].mean()), 4),
            "recall_of_new": round(float(self.found[new].mean()), 4) if new.any() else None,
            "new_among_nearest": int(new.sum()),
            "p50_us": round(float(np.median(self.us)), 1),
            "p95_us": round(float(np.quantile(self.us, 0.95)), 1),
        }

    def ahead_of(self, other: "Searched") -> tuple[float, float]:
        """Return by how much recall is more than another's, and half of its 95 % interval.

        Both answered the same queries, so what counts is how they differ at each.
        """
        real = self.exact >= 0
        each = (self.found & real).sum(axis=1) - (other.found & real).sum(axis=1)
        apart = each / np.maximum(real.sum(axis=1), 1)
        error = _NORMAL_95 * float(apart.std()) / np.sqrt(len(apart))
        return round(float(apart.mean()), 4), round(float(error), 4)


def search(living: Catalogue, table: CatalogueVectors, asked: Asked, exact: Rows) -> Searched:
    """Search as a request does, for one viewer after the other; the first time does not count."""
    clock = SystemClock()
    found, us = np.zeros(exact.shape, np.bool_), np.zeros(len(exact))
    for _ in range(2):
        for q, region in enumerate(asked.regions.tolist()):
            gate = living.items, region_bit(region), AGE_UNKNOWN
            started_s = clock.elapsed_s()
            hits, known = table.near(asked.queries[q : q + 1], asked.count, gate)
            rows = best_rows(hits[0, : known[0]])
            us[q] = (clock.elapsed_s() - started_s) * 1e6
            found[q] = np.isin(exact[q], rows)
    return Searched(exact, living.before, found, us)
