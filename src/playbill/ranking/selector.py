"""The selector: a slate with caps, and places given to chance with a known propensity."""

import math
from dataclasses import dataclass

import numpy as np

from playbill.ranking.select_kernel import select
from playbill.ranking.stages import Candidates, Floats, RankingRequest, Rows
from playbill.retrieval import SOURCE_CODES, ItemView

_EXPLORE = SOURCE_CODES["explore"]


@dataclass(frozen=True, slots=True)
class Slate:
    """K chosen candidates: (K,) indices into the candidates, (K,) propensities."""

    picks: Rows
    propensity: Floats


@dataclass(frozen=True, slots=True)
class SlateSelector:
    """Best first under author and topic caps; some places go to exploration.

    Each place is given to chance with probability ``explore_share``, independently; where more
    places are than there are candidates of the explore source to draw from, some of them, drawn as
    well, are given back. A place of chance shows such a candidate drawn uniformly, so its
    propensity is the share of chance over the number there were to draw from; every other place
    has one minus that share.
    """

    author_cap: int
    topic_cap: int
    explore_share: float

    def select(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Slate:
        """Return the slate, at most ``request.size`` long."""
        utility = candidates.utility
        if utility is None:
            utility = np.zeros(len(candidates.rows), np.float32)
        light = candidates.light if candidates.light is not None else utility
        order = np.lexsort((candidates.rows, -light, -utility))
        items = view.tables.items[candidates.rows]
        picks = np.empty(min(request.size, len(order)), np.int64)
        count = select(
            order,
            np.ascontiguousarray(items["author"]),
            np.ascontiguousarray(items["topics"][:, 0]),
            self.author_cap,
            self.topic_cap,
            np.zeros(len(order), np.bool_),
            picks,
        )
        return self._explore(request, candidates, picks[:count])

    def _explore(self, request: RankingRequest, candidates: Candidates, picks: Rows) -> Slate:
        pool = np.setdiff1d(np.flatnonzero(candidates.sources == _EXPLORE), picks)
        share = self.explore_share
        if not len(pool) or share <= 0.0:
            return Slate(picks, np.ones(len(picks), np.float32))
        random = request.query.random
        places = np.flatnonzero(random.random(len(picks)) < share)
        if len(places) > len(pool):
            places = random.choice(places, len(pool), replace=False)
        chance = _chance_of_a_place(len(picks), len(pool), share)
        propensity = np.full(len(picks), 1.0 - chance, np.float32)
        slate = picks.copy()
        slate[places] = random.choice(pool, len(places), replace=False)
        propensity[places] = chance / len(pool)
        return Slate(slate, propensity)


def _chance_of_a_place(places: int, most: int, share: float) -> float:
    """Return the probability that chance gets one of some places, at most ``most`` of them."""
    if most >= places:
        return share
    drawn = (
        min(n, most) * math.comb(places, n) * share**n * (1.0 - share) ** (places - n)
        for n in range(places + 1)
    )
    return sum(drawn) / places
