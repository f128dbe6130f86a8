"""The selector: a slate under rules, and places given to chance with a known propensity."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from playbill.ranking.explore_kernel import explore
from playbill.ranking.select_kernel import select
from playbill.ranking.stages import Candidates, Floats, RankingRequest, Rows
from playbill.retrieval import SOURCE_CODES, ItemView

MOST_BEFORE = 10
"""Places of the pages before that a slate looks back on; no gap is longer."""
_EXPLORE = SOURCE_CODES["explore"]


class SlateRules(NamedTuple):
    """The rules of a slate; what each means is said with the setting of its name."""

    author_cap: int
    topic_cap: int
    author_gap: int
    diversity: float
    repeat_penalty: float
    creator_floor: float
    creator_impressions: float


@dataclass(frozen=True, slots=True)
class Slate:
    """K chosen candidates: (K,) indices into the candidates, (K,) propensities.

    ``short``: places that the floor keeps and nobody was there to fill.
    """

    picks: Rows
    propensity: Floats
    short: int


@dataclass(frozen=True, slots=True)
class SlateSelector:
    """Best first under the rules; some places go to exploration.

    Candidates of equal merit keep the order they came in. What has no finite utility comes after
    all that has.

    Each place that the floor does not keep is given to chance with probability ``explore_share``,
    independently; where more places are than there are candidates of the explore source to draw
    from, some of them, drawn as well, are given back. A place of chance shows such a candidate
    drawn uniformly, whatever the caps say, so its propensity is the share of chance over the number
    there were to draw from; every other place has one minus that share, and one that the floor
    keeps has 1.

    Source: docs/decisions/0019-a-slate-is-chosen-place-by-place.md
    """

    rules: SlateRules
    explore_share: float

    def select(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Slate:
        """Return the slate, at most ``request.size`` long."""
        utility = candidates.utility
        if utility is None:
            utility = np.zeros(len(candidates.rows), np.float32)
        picks = np.empty(min(request.size, len(utility)), np.int64)
        taken, kept = np.zeros(len(utility), np.bool_), np.zeros(len(picks), np.bool_)
        count, short = select(
            utility,
            candidates.rows,
            view.tables.items,
            view.tables.authors,
            np.array(request.query.user["seen"][0]),
            np.array(request.shown[-MOST_BEFORE:], np.int64),
            request.places_before,
            request.at_ms,
            self.rules,
            (taken, picks, kept),
        )
        return self._explore(request, candidates, picks[:count], taken, kept[:count], short)

    def _explore(
        self,
        request: RankingRequest,
        candidates: Candidates,
        picks: Rows,
        taken: npt.NDArray[np.bool_],
        kept: npt.NDArray[np.bool_],
        short: int,
    ) -> Slate:
        propensity = np.ones(len(picks), np.float32)
        share = self.explore_share
        if share <= 0.0:
            return Slate(picks, propensity, short)
        uniforms, given = request.query.random.random((3, len(picks))), np.empty_like(kept)
        sources = candidates.sources
        pool, free = explore(sources, _EXPLORE, taken, kept, share, uniforms, picks, given)
        if pool and free:
            chance = _chance_of_a_place(free, pool, share)
            propensity[~kept] = 1.0 - chance
            propensity[given] = chance / pool
        return Slate(picks, propensity, short)


def _chance_of_a_place(places: int, most: int, share: float) -> float:
    """Return the probability that chance gets one of some places, at most ``most`` of them."""
    if most >= places:
        return share
    drawn = (
        min(n, most) * math.comb(places, n) * share**n * (1.0 - share) ** (places - n)
        for n in range(places + 1)
    )
    return sum(drawn) / places
