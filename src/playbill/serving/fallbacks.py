"""The lower tiers: what is served when the personal feed cannot be."""

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import FeedItem
from playbill.ranking import RULES, Candidates, RankingRequest, broken_rules, permitted
from playbill.retrieval import (
    SOURCE_CODES,
    DerivedLists,
    ExploreSource,
    FreshSource,
    ItemView,
    TrendingSource,
    first_of_each,
)

Rows = npt.NDArray[np.int64]
Sources = npt.NDArray[np.uint8]
_REMEMBERED, _BYTES_A_VIDEO = 20_000, 5
_LOOKED_AT = 1_000
_SOURCES = np.array([SOURCE_CODES[name] for name in ("trending", "explore", "fresh")], np.uint8)


class Fallback(msgspec.Struct, frozen=True):
    """A slate that nobody ranked: (K,) rows, sources, scores and propensities."""

    rows: Rows
    sources: Sources
    scores: npt.NDArray[np.float32]
    propensity: npt.NDArray[np.float32]


class LastLists:
    """Readers' last good lists with their sources, the newest 20,000 readers'.

    A reader is a viewer on one surface. A list is kept as five bytes a video, a third of what two
    arrays take: all its rows, then all its sources.
    """

    def __init__(self) -> None:
        self._lists: OrderedDict[bytes, bytes] = OrderedDict()

    def remember(self, reader: bytes, rows: Rows, sources: Sources) -> None:
        """Keep a reader's list."""
        self._lists[reader] = rows.astype(np.uint32).tobytes() + sources.tobytes()
        self._lists.move_to_end(reader)
        if len(self._lists) > _REMEMBERED:
            self._lists.popitem(last=False)

    def cached(self, reader: bytes, request: RankingRequest, view: ItemView) -> Fallback | None:
        """Return the last list, less what may no longer be shown; None when nothing is left."""
        known = self._lists.get(reader)
        if known is None:
            return None
        count = len(known) // _BYTES_A_VIDEO
        rows = np.frombuffer(known, np.uint32, count).astype(np.int64)
        sources = np.frombuffer(known, np.uint8, offset=4 * count).copy()
        return slate_again(request, view, rows, sources)


def slate_again(
    request: RankingRequest, view: ItemView, rows: Rows, sources: Sources
) -> Fallback | None:
    """Return a list that was made for the viewer, less what may no longer be shown.

    What the viewer has seen since is shown as readily as anything; None when nothing is left.
    """
    return _slate(request, view, rows, sources, again=True)


def popular(
    request: RankingRequest,
    view: ItemView,
    lists: DerivedLists,
    bundle_list: Rows,
    ahead: Rows,
) -> Fallback | None:
    """Return the region's list mixed with little-shown and new videos; None on an empty catalogue.

    The region's list is what was made ahead for it and what it watches now, in turn, and then the
    bundle's.
    Every second place is given to videos drawn at random or new: before there is a model, that is
    where its data comes from. Such a draw's propensity is its share of the pool.
    """
    query, size = request.query, request.size
    trending = TrendingSource().retrieve(query, view, 4 * size)
    listed = bundle_list[: 4 * size]
    drawn = ExploreSource(lists).retrieve(query, view, 2 * size)
    newest = FreshSource(lists, None).retrieve(query, view, 2 * size)
    ahead = ahead[: 4 * size]
    watched = in_turn(ahead[ahead < view.count], trending)
    rows = np.concatenate([watched, listed[listed < view.count], drawn, newest])
    known = len(rows) - len(drawn) - len(newest)
    sources = np.repeat(_SOURCES, [known, len(drawn), len(newest)])
    turns = np.concatenate([np.arange(known), np.arange(len(rows) - known) + 0.5])
    order = np.argsort(turns)
    order = order[first_of_each(rows[order])]
    found = _slate(request, view, rows[order], sources[order], again=False)
    if found is None:
        return _newest_of_state(request, view)
    if len(lists.pool):
        chance = found.sources == SOURCE_CODES["explore"]
        found.propensity[chance] = min(1.0, size / (2.0 * len(lists.pool)))
    return found


def _newest_of_state(request: RankingRequest, view: ItemView) -> Fallback | None:
    """Return the newest rows: lists are derived a moment after a home's first videos came."""
    rows = np.arange(view.count - 1, max(-1, view.count - 1 - _LOOKED_AT), -1)
    sources = np.full(len(rows), SOURCE_CODES["fresh"], np.uint8)
    return _slate(request, view, rows, sources, again=False)


def in_turn(first: Rows, second: Rows) -> Rows:
    """Return two lists as one: an entry of the first, one of the second, and so on."""
    turns = np.concatenate([np.arange(len(first)), np.arange(len(second)) + 0.5])
    mixed: Rows = np.concatenate([first, second])[np.argsort(turns)]
    return mixed


def _slate(
    request: RankingRequest,
    view: ItemView,
    rows: Rows,
    sources: Sources,
    *,
    again: bool,
) -> Fallback | None:
    """Return what may be shown of a list, cut to size; None when nothing may.

    ``again`` shows what the viewer has seen as readily as anything; else it only tops a page up.
    """
    present = rows < view.count
    candidates = Candidates(rows[present], sources[present])
    broken = broken_rules(request, candidates.rows, view)
    broken &= np.uint8(0xFF ^ RULES["seen"]) if again else np.uint8(0xFF)
    candidates = candidates.keep(permitted(broken, request.size))
    count = min(request.size, len(candidates.rows))
    if count == 0:
        return None
    ones = np.ones(count, np.float32)
    return Fallback(
        candidates.rows[:count], candidates.sources[:count], falling_scores(count), ones
    )


@lru_cache(maxsize=128)
def falling_scores(count: int) -> npt.NDArray[np.float32]:
    """Return (K,) scores of a slate that nobody ranked: from 1 down, all above 0. Read-only."""
    scores = np.linspace(1.0, 0.0, count, endpoint=False, dtype=np.float32)
    scores.flags.writeable = False
    return scores


def static_items(path: Path, size: int) -> list[FeedItem]:
    """Return the safe list on disk, nothing when there is none or it cannot be read.

    The list cannot be checked against take-downs, so it is for videos that never go.
    """
    try:
        names = msgspec.json.decode(path.read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [
        FeedItem(
            video_id=name,
            position=position,
            score=0.0,
            source="static",
            propensity=1.0,
            because="A safe choice",
        )
        for position, name in enumerate(names[:size])
    ]
