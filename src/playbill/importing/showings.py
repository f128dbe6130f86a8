"""Showings as columns, and the events that clients would have sent about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from playbill.contracts import EVENT_CODES, EventType, Fields
from playbill.core import FOREIGN_REQUEST, MINUTE_MS, request_name
from playbill.importing.tally import Ints

Keys: TypeAlias = npt.NDArray[np.uint64]

SETTLES_MS = MINUTE_MS
"""What follows a showing is known this long after it at the earliest."""

REGION = "world"
"""Where a data set names no region."""

_EVENTS_AT_ONCE = 65_536
_LONG_VIEWS = (None, False, True)


@dataclass(frozen=True, slots=True)
class Showings:
    """Videos shown to viewers, and what followed.

    Shapes: N showings; every array is (N,).
    """

    origins: tuple[str, ...]
    """Prefixes of event ids."""
    surfaces: tuple[str | None, ...]
    """Names of surfaces; None where the data set does not say."""
    origin: Ints
    """Place in ``origins``."""
    number: Ints
    """Unique within an origin, stable from one reading to the next."""
    user: Ints
    video: Ints
    shown_at_ms: Ints
    known_at_ms: Ints
    """When the outcomes were known, ``SETTLES_MS`` after the showing at the earliest."""
    did: Ints
    """Event types by bits, ``did_bit``; the impression is among them."""
    watch_ms: Ints
    """Length of play; read only where the watch bit is set."""
    long_view: Ints
    """0 unsaid, 1 no, 2 yes; read only where the watch bit is set."""
    surface: Ints
    """Place in ``surfaces``."""


def did_bit(kind: EventType) -> int:
    """Return the bit that stands for an event type in ``Showings.did``."""
    return 1 << EVENT_CODES[kind]


def count_events(showings: Showings) -> int:
    """Return how many events ``events_of`` will yield."""
    return int(np.bitwise_count(showings.did).sum())


def request_keys(user: Ints, video: Ints, shown_at_ms: Ints) -> Keys:
    """Return (N,) uint64, never 0: the same three numbers always give the same key.

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), chained over the columns.
    """
    mixed = np.full(user.shape, 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in (user, video, shown_at_ms):
        mixed ^= column.astype(np.uint64)
        mixed += np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    mixed[mixed == 0] = 1
    return mixed


def events_of(showings: Showings) -> Iterator[tuple[int, Fields]]:
    """Yield (received instant in ms, event body) in order of that instant.

    Outcomes carry the request id of their impression. Events of one instant come by type, in the
    order of ``EventType``, so that an impression precedes what others did at the same millisecond.
    """
    rows = [np.flatnonzero(showings.did & did_bit(kind)) for kind in EventType]
    row = np.concatenate(rows)
    code = np.repeat(np.arange(len(rows)), [part.size for part in rows])
    shown = code == list(EventType).index(EventType.IMPRESSION)
    received = np.where(shown, showings.shown_at_ms[row], showings.known_at_ms[row])
    order = np.argsort(received, kind="stable")
    request = request_keys(showings.user, showings.video, showings.shown_at_ms)
    for start in range(0, order.size, _EVENTS_AT_ONCE):
        part = order[start : start + _EVENTS_AT_ONCE]
        yield from _bodies(showings, request, received[part], code[part], row[part])


def _bodies(
    showings: Showings, request: Keys, received: Ints, code: Ints, row: Ints
) -> Iterator[tuple[int, Fields]]:
    kinds = [kind.value for kind in EventType]
    watch = kinds.index(EventType.WATCH)
    columns = (
        received,
        code,
        showings.origin[row],
        showings.number[row],
        showings.user[row],
        showings.video[row],
        request[row],
        showings.surface[row],
        showings.watch_ms[row],
        showings.long_view[row],
    )
    for at_ms, kind, origin, number, user, video, key, surface, watch_ms, long in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        body: Fields = {
            "event_id": f"{showings.origins[origin]}{number}-{_LETTERS[kind]}",
            "type": kinds[kind],
            "user_id": str(user),
            "video_id": str(video),
            "request_id": request_name(key | FOREIGN_REQUEST),
            "at": at_ms,
            "region": REGION,
        }
        if showings.surfaces[surface] is not None:
            body["surface"] = showings.surfaces[surface]
        if kind == watch:
            body["watch_ms"] = watch_ms
            if long:
                body["long_view"] = _LONG_VIEWS[long]
        yield at_ms, body


_LETTERS = ("i", "c", "w", "l", "s", "m", "f", "k", "h", "r", "q")
"""How an event id ends, by the order of ``EventType``: comment is m, skip is k, search is q."""
