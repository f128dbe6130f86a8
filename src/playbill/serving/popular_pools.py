"""What the popular tier serves from, made once a second: a request filters, draws and is done."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import MAX_FEED_SIZE
from playbill.core import Clock
from playbill.features import VISIBLE
from playbill.ranking import RankingRequest, broken_rules
from playbill.retrieval import (
    SOURCE_CODES,
    DerivedLists,
    ItemView,
    TrendingSource,
    first_of_each,
    region_bit,
)
from playbill.serving.fallbacks import Fallback, falling_scores, in_turn, popular

Rows = npt.NDArray[np.int64]
_KEPT_S = 1.0
_MOST_POOLS = 1_024
_KNOWN = 4 * MAX_FEED_SIZE
_STRETCH = 4
"""Places of the circle that a request looks at, as a multiple of its size."""
_ENOUGH = 4 * MAX_FEED_SIZE
"""Little-shown videos below which the newest are drawn from as well."""
_BY_TURNS = np.resize(
    np.array([SOURCE_CODES["trending"], SOURCE_CODES["explore"]], np.uint8), MAX_FEED_SIZE
)
_BY_TURNS.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Pool:
    """One region's pool on one surface.

    ``known`` (N,) what is popular there, best first. ``circle`` the P little-shown rows, and the
    newest where those are few, in an order drawn anew for each pool, its beginning repeated at the
    end; ``rank`` of the same length, where each of them stands in ``known``, N for nowhere;
    ``ranks`` (P,) the same, ascending. What may not be shown there is in neither.
    """

    known: Rows
    circle: Rows
    rank: Rows
    ranks: Rows
    made_at_s: float
    made_of: tuple[Rows, Rows, Rows]


class PopularPools:
    """The popular tier's slates.

    Every other place is the next popular one; between them stands what comes next on the circle,
    from anywhere on, so that each little-shown video that is not popular is as likely as any
    other, and its propensity is its share. Rules are asked about each request's own candidates:
    what was taken down a moment ago is left out. What one viewer alone has seen or may not see
    counts towards the share as if it could be drawn. Where rules leave a page short, and where
    there is little to choose from, the whole lists are gone through.

    Args:
        lists: derived from item state.
        clock: says when a pool is a second old.
        random: what orders and draws.
    """

    def __init__(self, lists: DerivedLists, clock: Clock, random: np.random.Generator) -> None:
        self._lists = lists
        self._clock = clock
        self._random = random
        self._pools: dict[tuple[int, int], Pool] = {}

    def slate(
        self, request: RankingRequest, view: ItemView, listed: Rows, ahead: Rows
    ) -> Fallback | None:
        """Return the popular slate, None on an empty catalogue.

        Args:
            listed: the bundle's list of the region, best first.
            ahead: the list made ahead for the region and the surface, best first.
        """
        found = self._from_pool(self._pool(request, view, listed, ahead), request, view)
        return found or popular(request, view, self._lists, listed, ahead)

    def _from_pool(self, pool: Pool, request: RankingRequest, view: ItemView) -> Fallback | None:
        """Return a slate of the pool, None where it does not fill a page by turns."""
        size, count, places = request.size, len(pool.known), len(pool.ranks)
        evens, odds = (size + 1) // 2, size // 2
        if count < evens or places < odds:
            return None
        start = int(self._random.integers(places)) if places else 0
        stretch = slice(start, start + min(_STRETCH * size, places))
        rows = np.concatenate([pool.known, pool.circle[stretch]])
        fine = broken_rules(request, rows, view) == 0
        known = np.flatnonzero(fine[:count])[:evens]
        if len(known) < evens:
            return None
        last = known[-1]
        drawn = np.flatnonzero(fine[count:] & (pool.rank[stretch] > last))[:odds]
        if len(drawn) < odds:
            return None
        picks = np.empty(size, np.int64)
        picks[::2], picks[1::2] = known, count + drawn
        propensity = np.ones(size, np.float32)
        if odds:
            among = places - int(np.searchsorted(pool.ranks, last, "right"))
            propensity[1::2] = odds / among
        return Fallback(rows[picks], _BY_TURNS[:size], falling_scores(size), propensity)

    def _pool(self, request: RankingRequest, view: ItemView, listed: Rows, ahead: Rows) -> Pool:
        place = request.query.region, request.surface
        made_of = self._lists.pool, listed, ahead
        known = self._pools.get(place)
        now_s = self._clock.elapsed_s()
        if known is not None and now_s - known.made_at_s < _KEPT_S and _same(known, made_of):
            return known
        if len(self._pools) >= _MOST_POOLS:
            self._pools.clear()
        made = self._make(request, view, made_of, now_s)
        self._pools[place] = made
        return made

    def _make(
        self,
        request: RankingRequest,
        view: ItemView,
        made_of: tuple[Rows, Rows, Rows],
        now_s: float,
    ) -> Pool:
        little, listed, ahead = made_of
        trending = TrendingSource().retrieve(request.query, view, _KNOWN)
        rows = np.concatenate([in_turn(ahead, trending), listed])
        rows = rows[first_of_each(rows)]
        known = rows[_shown_in(request.query.region, rows, view)][:_KNOWN]
        if len(little) < _ENOUGH:
            little = np.concatenate([little, self._lists.fresh[:_ENOUGH]])
            little = little[first_of_each(little)]
        little = little[_shown_in(request.query.region, little, view)]
        circle = self._random.permutation(little)
        rank = _ranks(circle, known)
        around = np.resize(np.arange(len(circle)), len(circle) + _STRETCH * MAX_FEED_SIZE)
        around = around[: 2 * len(circle)]
        return Pool(known, circle[around], rank[around], np.sort(rank), now_s, made_of)


def _ranks(rows: Rows, known: Rows) -> Rows:
    """Return where each row stands in ``known``, its length for nowhere."""
    if not len(known):
        return np.zeros(len(rows), np.int64)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known, rows, sorter=order), len(known) - 1)]
    return np.where(known[at] == rows, at, len(known))


def _same(pool: Pool, made_of: tuple[Rows, Rows, Rows]) -> bool:
    return all(one is other for one, other in zip(pool.made_of, made_of, strict=True))


def _shown_in(region: int, rows: Rows, view: ItemView) -> npt.NDArray[np.bool_]:
    """Return (N,) True for rows that are there, visible and open to a region."""
    present = rows < view.count
    items, there = view.tables.items, np.where(present, rows, 0)
    regions, flags = items["regions"][there], items["flags"][there]
    opened = (regions == 0) | (regions & region_bit(region) != 0)
    shown: npt.NDArray[np.bool_] = present & opened & (flags & VISIBLE != 0)
    return shown
