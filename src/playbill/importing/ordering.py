"""Putting events in the order they were received."""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playbill.contracts import Fields
from playbill.core import InvalidInput

MAX_SORTED_EVENTS = 2_000_000
"""Events sorted in memory at most; one takes about a kilobyte."""


@dataclass(frozen=True, slots=True)
class RowEvents:
    """What one row gave."""

    row: int
    """Its line in the table, from 1."""
    at_ms: int
    """When the row was received; none of its events was received before."""
    events: list[tuple[int, Fields]]
    """(received instant in ms, body)."""


def sort_events(
    rows: Iterable[RowEvents], name: str, limit: int = MAX_SORTED_EVENTS
) -> list[tuple[int, Fields]]:
    """Return all events by received instant; those of one instant keep their order.

    Raises:
        InvalidInput: there are more than ``limit``.
    """
    held: list[tuple[int, Fields]] = []
    for one in rows:
        held.extend(one.events)
        if len(held) > limit:
            raise InvalidInput(
                f"{name} gives more than {limit:,} events by line {one.row:,}; that many are "
                "sorted in memory",
                field="events.sorted",
                hint="sort the table by time and write sorted = true under [events]",
            )
    held.sort(key=lambda pair: pair[0])
    return held


def merge_events(rows: Iterable[RowEvents], name: str) -> Iterator[tuple[int, Fields]]:
    """Yield events of rows that are in order of time, holding only those that are yet to come.

    Raises:
        InvalidInput: a row lies before the one above it, or gives an event before itself.
    """
    waiting: list[tuple[int, int, Fields]] = []
    number = itertools.count()
    before_ms = 0
    for one in rows:
        earliest_ms = min([one.at_ms, *(received_at_ms for received_at_ms, _ in one.events)])
        if earliest_ms < before_ms or earliest_ms < one.at_ms:
            raise InvalidInput(
                f"{name}, line {one.row}: an event at {earliest_ms} comes after {before_ms}; "
                "events.sorted is true, so rows must be in order of time",
                field="events.sorted",
                hint="sort the table by time, or write sorted = false",
            )
        before_ms = one.at_ms
        while waiting and waiting[0][0] <= before_ms:
            received_at_ms, _, body = heapq.heappop(waiting)
            yield received_at_ms, body
        for received_at_ms, body in one.events:
            heapq.heappush(waiting, (received_at_ms, next(number), body))
    while waiting:
        received_at_ms, _, body = heapq.heappop(waiting)
        yield received_at_ms, body
