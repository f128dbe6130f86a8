"""Candidate sources: each answers one question about one viewer with rows, best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from playbill.retrieval.derived import DerivedLists
from playbill.retrieval.merge_kernel import first_places, joined, merge
from playbill.retrieval.sources_kernel import (
    drawn,
    first_below,
    listed_of,
    newest_of_followed,
    taken_to,
)
from playbill.retrieval.vector_index import Gate, Hits, gate_of
from playbill.retrieval.view import ItemView, Records, Rows

Floats = npt.NDArray[np.float32]
EVERY_ROW = 1 << 62
"""Above every row."""
SIMILAR_SEEDS = 4
SOURCES = ("vector", "similar", "followed", "fresh", "trending", "explore", "next")
"""Every source by the byte that impression records carry, from 1."""
SOURCE_CODES: dict[str, int] = {name: code for code, name in enumerate(SOURCES, start=1)}
_NOTHING: Rows = np.empty(0, np.int64)


@dataclass(slots=True)
class Query:
    """What sources know of a request: (1,) ``USER_RECORD``, region code, (D,) vector or None.

    The vector comes last, once the tower has made it. ``below``: rows from here on were posted
    after the first page, and are not looked for.
    """

    user: Records
    region: int
    vector: Floats | None
    random: np.random.Generator
    below: int = EVERY_ROW

    def __post_init__(self) -> None:
        """Look at the row without a way to write to it: kernels then compile once for all."""
        self.user = self.user.view()
        self.user.flags.writeable = False


class VectorTable(Protocol):
    """Item vectors by row, new videos included, and who is near."""

    def near(self, queries: Floats, count: int, gate: Gate) -> tuple[Hits, Rows]:
        """Return (Q, count) hits in no order of (Q, D) queries and (Q,) how many there are."""
        ...

    def near_vector(self, vector: Floats, count: int, gate: Gate) -> Rows:
        """Return the ``count`` rows nearest to a (D,) vector, best first."""
        ...

    def near_rows(self, rows: Rows, count: int, gate: Gate, quota: int) -> Rows:
        """Return the ``count`` nearest to each of (S,) rows in turn, ``quota`` rows in all."""
        ...

    def near_newest(self, query: Floats, count: int, gate: Gate) -> Rows | None:
        """Return the nearest of the newest videos, best first; None where none has a vector."""
        ...

    def next_rows(self, user: Records, below: int, count: int, gate: Gate) -> Rows:
        """Return the ``count`` rows below one that most often follow what a viewer took to."""
        ...

    def vectors(self, rows: Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return (C, D) vectors and (C,) True where a row has one."""
        ...


class Source(Protocol):
    """One way to find candidates."""

    @property
    def name(self) -> str:
        """Return the name that replies and records carry."""
        ...

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return at most ``quota`` rows, best first; repeats across sources are fine."""
        ...


@dataclass(frozen=True, slots=True)
class VectorSource:
    """What lies nearest to the viewer in the two-tower space, of what may be shown."""

    name: ClassVar[str] = "vector"
    table: VectorTable

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return the nearest rows; none without a vector."""
        if query.vector is None:
            return _NOTHING
        gate = gate_of(view, query.region, query.user)
        return self.table.near_vector(query.vector, quota, gate)


@dataclass(frozen=True, slots=True)
class SimilarSource:
    """What lies nearest to each of the last few videos the viewer took to."""

    name: ClassVar[str] = "similar"
    table: VectorTable

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return the neighbours of recent videos, in turn."""
        seeds = np.empty(SIMILAR_SEEDS, np.int64)
        seeds = seeds[: taken_to(query.user, view.count, seeds)]
        if not len(seeds):
            return _NOTHING
        each = max(1, quota // len(seeds))
        gate = gate_of(view, query.region, query.user)
        return self.table.near_rows(seeds, each, gate, quota)


@dataclass(frozen=True, slots=True)
class NextSource:
    """What others took after what the viewer took to lately, by counts alone."""

    name: ClassVar[str] = "next"
    table: VectorTable

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return the strongest followers, summed over recent videos."""
        gate = gate_of(view, query.region, query.user)
        return self.table.next_rows(query.user, min(query.below, view.count), quota, gate)


@dataclass(frozen=True, slots=True)
class FollowedSource:
    """The newest videos of the authors the viewer follows."""

    name: ClassVar[str] = "followed"
    lists: DerivedLists

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return the newest of each author, most recently followed first."""
        rows = np.empty(quota, np.int64)
        items = view.tables.items
        return rows[: newest_of_followed(query.user, self.lists.by_author, items, rows)]


@dataclass(frozen=True, slots=True)
class FreshSource:
    """The newest videos, those nearest to the viewer first when there is a vector."""

    name: ClassVar[str] = "fresh"
    lists: DerivedLists
    table: VectorTable | None

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return half of the quota by nearness among the newest, the rest by age alone."""
        rows = np.empty(quota, np.int64)
        newest = rows[: first_below(self.lists.fresh, min(query.below, view.count), rows)]
        if query.vector is None or self.table is None or len(self.lists.fresh) <= quota:
            return newest
        gate = gate_of(view, query.region, query.user)
        near = self.table.near_newest(query.vector, quota - quota // 2, gate)
        if near is None:
            return newest
        both = np.empty(quota, np.int64)
        return both[: joined(near, newest, view.count, both)]


@dataclass(frozen=True, slots=True)
class TrendingSource:
    """What the viewer's region watches most now."""

    name: ClassVar[str] = "trending"

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return the region's list, filled up from everywhere's."""
        group = query.region if query.region < len(view.trending) else 0
        rows = np.empty(quota, np.int64)
        return rows[: listed_of(view.trending, group, view.count, rows)]


@dataclass(frozen=True, slots=True)
class ExploreSource:
    """Videos that were shown little, drawn uniformly, so that every one gets its chance."""

    name: ClassVar[str] = "explore"
    lists: DerivedLists

    def retrieve(self, query: Query, view: ItemView, quota: int) -> Rows:
        """Return rows drawn without replacement."""
        pool = self.lists.pool
        if len(pool) and pool[-1] >= view.count:
            pool = pool[pool < view.count]
        seed, rows = np.uint64(query.random.bit_generator.random_raw()), np.empty(quota, np.int64)
        return rows[: drawn(pool, seed, rows)]


def merged(parts: Sequence[Rows]) -> tuple[Rows, npt.NDArray[np.uint8]]:
    """Return what several lists name, each row once, and the code of the list it came first in.

    Args:
        parts: what each source found, all of them in the order of ``SOURCES``.
    """
    most = sum(map(len, parts))
    found, named = np.empty(most, np.int64), np.empty(most, np.uint8)
    count = merge(tuple(parts), found, named)
    return found[:count], named[:count]


def first_of_each(rows: Rows) -> Rows:
    """Return the places at which rows stand for the first time, ascending."""
    places = np.empty(len(rows), np.int64)
    return places[: first_places(rows, places)]
