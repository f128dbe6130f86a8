"""A catalogue that lives on after its index was built: videos come, and others are taken down."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.benchmarks.world import BenchWorld, Floats, Records, Rows, video_name
from playbill.core import InvalidInput, key64
from playbill.features import ITEM_RECORD, VISIBLE

AT_ONCE = 50
"""Videos that come between two looks of a worker, and as many that are taken down."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Videos by row: those that were there before, and room for newcomers behind them.

    ``vectors`` (R, 64), ``items`` (R,); the first ``before`` rows were there.
    """

    vectors: Floats
    items: Records
    before: int

    @property
    def visible(self) -> Rows:
        """Return the rows that may be shown."""
        return np.flatnonzero(self.items["flags"] & VISIBLE)


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Vectors of videos that came later, as a tower would make them of their records.

    ``keys`` (M,) ascending; ``of_keys`` (M, 64) in their order.
    """

    keys: npt.NDArray[np.uint64]
    of_keys: Floats

    def vectors(self, items: Records) -> Floats:
        """Return (n, 64) vectors of (n,) item records."""
        return self.of_keys[np.searchsorted(self.keys, items["key"])]


def with_newcomers(
    world: BenchWorld, vectors: Floats, items: Records, random: np.random.Generator
) -> tuple[Catalogue, Newcomers]:
    """Return the catalogue with newcomers, each like some other that was there before.

    Args:
        world: that made the others.
        vectors: (R, 64), filled up to N.
        items: (N,) records.
        random: what newcomers are drawn from.
    """
    before = len(items)
    like = random.integers(before, size=len(vectors) - before)
    vectors[before:] = world.like(like, world.centres(), random)
    grown = np.zeros(len(vectors), ITEM_RECORD)
    grown[:before], grown[before:] = items, items[like]
    grown["key"][before:] = [key64(video_name(row)) for row in range(before, len(vectors))]
    grown["flags"][before:] |= VISIBLE
    order = np.argsort(grown["key"][before:])
    tower = Newcomers(grown["key"][before:][order], vectors[before:][order])
    return Catalogue(vectors, grown, before), tower


def churn(living: Catalogue, deletes: int, random: np.random.Generator) -> Iterator[int]:
    """Let all newcomers come and take videos down, in turns; yield how many rows there are then.

    Args:
        living: taken-down videos lose their flag in its items.
        deletes: how many are taken down, newcomers among them.
        random: which.

    Raises:
        InvalidInput: that is more than half of what is visible.
    """
    visible = len(living.visible)
    if deletes > visible // 2:
        raise InvalidInput(
            f"{deletes:,} of {visible:,} visible videos are too many to take down",
            hint="take down half of them at most",
        )
    count, left = living.before, deletes
    while count < len(living.items) or left:
        count = min(count + AT_ONCE, len(living.items))
        _take_down(living.items[:count], min(AT_ONCE, left), random)
        left -= min(AT_ONCE, left)
        yield count


def _take_down(items: Records, wanted: int, random: np.random.Generator) -> None:
    while wanted > 0:
        drawn = np.unique(random.integers(len(items), size=wanted))
        shown = drawn[items["flags"][drawn] & VISIBLE != 0]
        items["flags"][shown] &= ~np.uint8(VISIBLE)
        wanted -= len(shown)
