"""What candidate sources and filters look at: item state, as it is right now."""

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.features import ItemTables

Records = npt.NDArray[np.void]
Rows = npt.NDArray[np.int64]


class SharedView(Protocol):
    """Item state that somebody else moves. ``sequence`` is odd while an epoch is being written."""

    items: Records
    authors: Records
    topics: Records
    trending: Rows
    names: npt.NDArray[np.bytes_]
    header: Records

    def sequence(self) -> int:
        """Return the sequence number."""
        ...

    def counts(self) -> tuple[int, int, int, int, int]:
        """Return how many items, authors and topics are in use, the epoch, and its instant."""
        ...


class ItemView(msgspec.Struct, frozen=True):
    """Item state between two epochs.

    ``tables``: records in use, (I,) items, (A,) authors, (T,) topics. ``trending`` (G, K): rows,
    -1 for none; group 0 is everywhere, group r the region with code r. ``names`` (I,) ids in
    UTF-8, empty where one is too long to be kept here.
    """

    tables: ItemTables
    trending: Rows
    names: npt.NDArray[np.bytes_]
    epoch: int
    at_ms: int

    @property
    def count(self) -> int:
        """Return how many videos there are, hidden ones included."""
        return len(self.tables.items)


EVERY_REGION = 33
"""Stands for all of them at once, where nobody asks for somebody."""


def region_bit(region: int) -> np.uint32:
    """Return the bit of a region code in ``ITEM_RECORD.regions``, 0 for no region."""
    if region == EVERY_REGION:
        return np.uint32(0xFFFFFFFF)
    return np.uint32(1 << (region - 1)) if region else np.uint32(0)


def view_of(shared: SharedView) -> ItemView:
    """Return a view of the records in use; counts only grow, so it stays valid."""
    items, authors, topics, epoch, at_ms = shared.counts()
    tables = ItemTables(shared.items[:items], shared.authors[:authors], shared.topics[:topics])
    return ItemView(tables, shared.trending, shared.names[:items], epoch, at_ms)
