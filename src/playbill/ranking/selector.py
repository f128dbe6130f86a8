"""The selector: a slate under rules, and places given to chance with a known propensity."""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.ranking.slate_kernel import choose
from playbill.ranking.stages import Candidates, Floats, RankingRequest, Rows
from playbill.retrieval import SOURCE_CODES, ItemView, region_bit

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


SLATE_RULES = np.dtype(
    [(name, "<i8" if kind is int else "<f8") for name, kind in SlateRules.__annotations__.items()]
    + [("explore_share", "<f8")]
)
"""The rules as kernels read them, with the share of chance."""


class Slate(msgspec.Struct, frozen=True):
    """K chosen candidates: (K,) indices into the candidates, (K,) propensities.

    ``short``: places that the floor keeps and nobody was there to fill.
    """

    picks: Rows
    propensity: Floats
    short: int


@dataclass(slots=True)
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
    _compiled: npt.NDArray[np.void] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._compiled = np.array([(*self.rules, self.explore_share)], SLATE_RULES)

    def select(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Slate:
        """Return the slate, at most ``request.size`` long, of what may still be shown."""
        count, query = len(candidates.rows), request.query
        utility = candidates.utility
        if utility is None:
            utility = np.zeros(count, np.float32)
        size = min(request.size, count)
        picks, propensity = np.empty(size, np.int64), np.empty(size, np.float32)
        left, short = choose(
            (utility, candidates.rows, candidates.sources),
            (view.tables.items, view.tables.authors),
            np.array(query.user["seen"][0]),
            np.array(request.shown[-MOST_BEFORE:], np.int64),
            (request.places_before, request.at_ms, region_bit(query.region), query.user["age"][0]),
            self._compiled,
            _EXPLORE,
            query.random.random((3, size)),
            picks,
            propensity,
        )
        return Slate(picks[:left], propensity[:left], short)
