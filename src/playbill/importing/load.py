"""Feeding a history to a sink in order of time, window by window."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from playbill.contracts import (
    MAX_VIDEOS_PER_BATCH,
    REJECTIONS,
    Fields,
    HistorySink,
    HistorySource,
    RejectedEvent,
)
from playbill.core import MINUTE_MS, BrokenContract, InvalidInput
from playbill.importing.report import ImportReport, KindReport, Refusal, refusals_of
from playbill.importing.tally import Count, Kind, Tallied

MAX_WINDOW_EVENTS = 200_000
"""Events in one call of the sink at most; as many as one epoch holds by default."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an import is."""

    kind: Kind
    """What is being fed."""
    done: int
    """Bodies handed over so far."""
    expected: int | None
    """Bodies there will be, when the source knows."""


OnProgress = Callable[[Progress], None]


def load(
    source: HistorySource,
    sink: HistorySink,
    window_ms: int = MINUTE_MS,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Feed videos, users and then events to a sink, and return what became of them.

    Videos and users are stored as of the millisecond before the first event. Events go by windows
    that end at whole multiples of ``window_ms``: a window holds what was received after the end of
    the one before, up to its own end, and is received at its end. Empty windows are skipped; one of
    more than ``MAX_WINDOW_EVENTS`` is sent in parts that share its end.

    Args:
        source: what to read; its own tally enters the report when it keeps one.
        sink: takes the bodies; what it refuses is counted, not raised.
        window_ms: length of a window, 1 or more.
        on_progress: called after every batch.

    Raises:
        InvalidInput: the source holds no event, ``window_ms`` is below 1, or the sink already
            holds later events.
        BrokenContract: the source yields events out of order.
    """
    if window_ms < 1:
        raise InvalidInput(f"window_ms is {window_ms}; pass at least 1", field="window_ms")
    events = source.events()
    first = next(events, None)
    if first is None:
        raise InvalidInput(
            f"the data set holds no event to import{_why_empty(source)}",
            hint="check the path, and that the readers' columns are the ones you meant",
        )
    desk = _Desk(source, on_progress)
    posted_at_ms = max(first[0] - 1, 0)
    for bodies in _batches(source.videos()):
        desk.settle("videos", bodies, sink.videos(bodies, posted_at_ms))
    for bodies in _batches(source.users()):
        desk.settle("users", bodies, sink.users(bodies, posted_at_ms))
    for window in _windows(itertools.chain((first,), events), window_ms):
        desk.settle("events", window.bodies, sink.events(window.bodies, window.end_at_ms))
        desk.types.update(body.get("type", "none") for body in window.bodies)
        desk.last_at_ms = window.last_at_ms
    return desk.report(first[0])


@dataclass(slots=True)
class _Desk:
    """Keeps the books of one import."""

    source: HistorySource
    on_progress: OnProgress | None
    sent: Counter[Kind] = field(default_factory=Counter)
    refused: dict[Kind, Count] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    last_at_ms: int = 0

    def settle(self, kind: Kind, bodies: list[Fields], refusals: list[RejectedEvent]) -> None:
        """Book one batch and what the sink refused of it."""
        refused = self.refused.setdefault(kind, Count())
        for refusal in refusals:
            message = _without_ids(refusal, bodies[refusal.index])
            refused.reject(refusal.code, message, self.sent[kind] + refusal.index + 1)
        self.sent[kind] += len(bodies)
        if self.on_progress is not None:
            read = self._read(kind)
            expected = read.expected if read else None
            self.on_progress(Progress(kind=kind, done=self.sent[kind], expected=expected))

    def report(self, first_at_ms: int) -> ImportReport:
        """Return the finished report."""
        kinds: tuple[Kind, ...] = ("videos", "users", "events")
        return ImportReport(
            videos=self._kind("videos"),
            users=self._kind("users"),
            events=self._kind("events"),
            event_types=dict(self.types.most_common()),
            refusals=tuple(refusal for kind in kinds for refusal in self._refusals(kind)),
            first_at_ms=first_at_ms,
            last_at_ms=self.last_at_ms,
            notes=tuple(note for kind in kinds for note in (self._read(kind) or Count()).notes),
        )

    def _read(self, kind: Kind) -> Count | None:
        return self.source.tally.count(kind) if isinstance(self.source, Tallied) else None

    def _kind(self, kind: Kind) -> KindReport:
        read = self._read(kind) or Count(read=self.sent[kind])
        refused = self.refused.get(kind, Count()).rejected
        return KindReport(
            read=read.read,
            duplicates=read.duplicates,
            rejected=read.rejected,
            sent=self.sent[kind],
            refused=refused,
            taken=self.sent[kind] - refused,
        )

    def _refusals(self, kind: Kind) -> list[Refusal]:
        read = refusals_of(kind, "reader", self._read(kind) or Count())
        return read + refusals_of(kind, "sink", self.refused.get(kind, Count()))


def _batches(bodies: Iterable[Fields]) -> Iterator[list[Fields]]:
    waiting = iter(bodies)
    while batch := list(itertools.islice(waiting, MAX_VIDEOS_PER_BATCH)):
        yield batch


@dataclass(frozen=True, slots=True)
class _Window:
    end_at_ms: int
    last_at_ms: int
    bodies: list[Fields]


def _windows(events: Iterable[tuple[int, Fields]], window_ms: int) -> Iterator[_Window]:
    bodies: list[Fields] = []
    end_at_ms = last_at_ms = -1
    for at_ms, body in events:
        if at_ms < last_at_ms:
            raise BrokenContract(
                f"a history yielded an event received at {at_ms} after one at {last_at_ms}; "
                "events must be yielded in the order they were received"
            )
        if at_ms > end_at_ms or len(bodies) >= MAX_WINDOW_EVENTS:
            if bodies:
                yield _Window(end_at_ms, last_at_ms, bodies)
            bodies = []
            end_at_ms = -(-at_ms // window_ms) * window_ms
        last_at_ms = at_ms
        bodies.append(body)
    if bodies:
        yield _Window(end_at_ms, last_at_ms, bodies)


def _without_ids(refusal: RejectedEvent, body: Fields) -> str:
    """Return the sink's message, or the code's general one where the message names the viewer."""
    names = [str(body[name]) for name in ("user_id", "session_id") if body.get(name)]
    if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", refusal.message) for name in names):
        return REJECTIONS.get(refusal.code, refusal.code)
    return refusal.message


def _why_empty(source: HistorySource) -> str:
    read = source.tally.count("events") if isinstance(source, Tallied) else None
    if read is None or not read.read:
        return ""
    reasons = refusals_of("events", "reader", read)
    most = (
        f", most of them as {reasons[0].code}: {reasons[0].examples[0].message}" if reasons else ""
    )
    return f": {read.read:,} rows were read and {read.rejected:,} rejected{most}"
