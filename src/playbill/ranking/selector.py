"""The selector: a slate with caps, and places given to chance with a known propensity."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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

    Candidates of equal utility keep the order they came in.

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
        order = np.argsort(-utility, kind="stable")
        picks = np.empty(min(request.size, len(order)), np.int64)
        taken = np.zeros(len(order), np.bool_)
        count = select(
            order,
            candidates.rows,
            view.tables.items,
            self.author_cap,
            self.topic_cap,
            taken,
            picks,
        )
        return self._explore(request, candidates, picks[:count], taken)

    def _explore(
        self,
        request: RankingRequest,
        candidates: Candidates,
        picks: Rows,
        taken: npt.NDArray[np.bool_],
    ) -> Slate:
        pool = np.flatnonzero((candidates.sources == _EXPLORE) & ~taken)
        share = self.explore_share
        if not len(pool) or share <= 0.0:
            return Slate(picks, np.ones(len(picks), np.float32))
        random = request.query.random
        places = np.flatnonzero(random.random(len(picks)) < share)
        if len(places) > len(pool):
            places = random.choice(places, len(pool), replace=False)
        chance = _chance_of_a_place(len(picks), len(pool), share)
        propensity = np.full(len(picks), 1.0 - chance, np.float32)
        if len(places):
            picks[places] = random.choice(pool, len(places), replace=False)
            propensity[places] = chance / len(pool)
        return Slate(picks, propensity)


def _chance_of_a_place(places: int, most: int, share: float) -> float:
    """Return the probability that chance gets one of some places, at most ``most`` of them."""
    if most >= places:
        return share
    drawn = (
        min(n, most) * math.comb(places, n) * share**n * (1.0 - share) ** (places - n)
        for n in range(places + 1)
    )
    return sum(drawn) / places
