"""Admission: the one border that raw identity crosses, and never comes back."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from playbill.contracts import (
    EVENT_CODES,
    EVENT_RECORD,
    AdmissionSettings,
    Event,
    EventType,
    RejectedEvent,
    Settings,
)
from playbill.core import KEY_ABSENT, InvalidInput, key64, nearest_name, request_key
from playbill.events.decoding import rejection_of
from playbill.events.instants import instant_ms
from playbill.privacy import Pseudonyms

_RECORD = struct.Struct("<16s16sQQQQqqihBBBB6x")
_NEEDS_VIDEO = frozenset(EventType) - {EventType.FOLLOW, EventType.SEARCH}
_LONG_VIEW = {None: 0, False: 1, True: 2}
_cached_key64 = lru_cache(maxsize=1 << 17)(key64)

_TOO_OLD = "bring older history in with playbill import"
_IN_SECONDS = "at is in milliseconds since 1970; this looks like seconds"
_SECONDS_UNTIL = 100_000_000_000
"""Smaller numbers, taken as milliseconds, lie before 1973; as seconds they are our days."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far an event's own clock may be from ours."""

    max_ahead_ms: int
    max_age_ms: int

    @classmethod
    def of(cls, settings: AdmissionSettings) -> "Bounds":
        """Return the bounds that the settings declare, in milliseconds."""
        return cls(settings.max_ahead_s * 1000, settings.max_age_s * 1000)


class Vocabulary:
    """The declared names of one kind; 0 stands for "not said", the first name has code 1."""

    def __init__(self, kind: str, names: Iterable[str]) -> None:
        self.kind = kind
        self.names = tuple(names)
        self._codes = {name: code for code, name in enumerate(self.names, start=1)}

    def code(self, name: str | None) -> int:
        """Return the code of a name, 0 for None.

        Raises:
            InvalidInput: nobody declared the name.
        """
        if name is None:
            return 0
        code = self._codes.get(name)
        if code is None:
            raise InvalidInput(
                f"{self.kind} {name!r} is not declared; declared are {', '.join(self.names)}."
                + nearest_name(name, self.names),
                code="undeclared_value",
                field=self.kind,
                hint=f"add it to {self.kind}s in playbill.toml, or send a declared one",
            )
        return code

    def name(self, code: int) -> str | None:
        """Return the name of a code, None for 0."""
        return self.names[code - 1] if code else None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a batch became: every event is a record, a duplicate or a rejection."""

    records: npt.NDArray[np.void]
    duplicates: int
    rejected: list[RejectedEvent]


class Admission:
    """Validate events and turn them into ``EVENT_RECORD``s.

    Args:
        settings: declared surfaces and regions.
        pseudonyms: what stands for users from here on.
        bounds: None takes any instant, for histories.
    """

    def __init__(self, settings: Settings, pseudonyms: Pseudonyms, bounds: Bounds | None) -> None:
        self.surfaces = Vocabulary("surface", settings.surfaces)
        self.regions = Vocabulary("region", settings.regions)
        self._pseudonyms = pseudonyms
        self._bounds = bounds

    def admit(self, events: Iterable[tuple[int, Event]], received_at_ms: int) -> Admitted:
        """Return the records of the good events, and for each other one the reason.

        Args:
            events: (index in the batch, event).
            received_at_ms: when the batch arrived; a clock slightly ahead counts as this instant.
        """
        taken: dict[bytes, bytes] = {}
        rejected: list[RejectedEvent] = []
        count = 0
        for index, event in events:
            count += 1
            try:
                identity = self._pseudonyms.event(event.event_id)
                record = self._record(event, identity, received_at_ms)
            except InvalidInput as refusal:
                rejected.append(rejection_of(index, refusal))
            else:
                taken.setdefault(identity, record)
        records = np.frombuffer(b"".join(taken.values()), EVENT_RECORD)
        return Admitted(records, count - len(taken) - len(rejected), rejected)

    def _record(self, event: Event, identity: bytes, received_at_ms: int) -> bytes:
        kind = event.type
        video_id = event.video_id
        if video_id is None:
            _require_target(event)
        if kind is EventType.WATCH and event.watch_ms is None:
            raise InvalidInput("a watch needs watch_ms", code="watch_missing", field="watch_ms")
        return _RECORD.pack(
            identity,
            self._pseudonyms.user(event.user_id),
            KEY_ABSENT if video_id is None else _cached_key64(video_id),
            KEY_ABSENT if event.author_id is None else _cached_key64(event.author_id),
            KEY_ABSENT if event.request_id is None else request_key(event.request_id),
            KEY_ABSENT if event.session_id is None else self._pseudonyms.session(event.session_id),
            self._instant(event.at, received_at_ms),
            received_at_ms,
            event.watch_ms or 0,
            -1 if event.position is None else event.position,
            EVENT_CODES[kind],
            self.surfaces.code(event.surface),
            self.regions.code(event.region),
            _LONG_VIEW[event.long_view],
        )

    def _instant(self, at: int | datetime, received_at_ms: int) -> int:
        at_ms = instant_ms(at, "at")
        bounds = self._bounds
        if bounds is None:
            return min(at_ms, received_at_ms)
        if at_ms > received_at_ms + bounds.max_ahead_ms:
            raise InvalidInput(
                f"at is {(at_ms - received_at_ms) / 1000:,.0f} s ahead of the server; "
                f"at most {bounds.max_ahead_ms / 1000:,.0f} s are taken",
                code="event_from_future",
                field="at",
            )
        if at_ms < received_at_ms - bounds.max_age_ms:
            raise InvalidInput(
                f"at is {(received_at_ms - at_ms) / 1000:,.0f} s back; "
                f"at most {bounds.max_age_ms / 1000:,.0f} s are taken",
                code="event_too_old",
                field="at",
                hint=_TOO_OLD if at_ms > _SECONDS_UNTIL else _IN_SECONDS,
            )
        return min(at_ms, received_at_ms)


def _require_target(event: Event) -> None:
    if event.type in _NEEDS_VIDEO:
        raise InvalidInput(
            f"a {event.type.value} needs a video_id", code="video_missing", field="video_id"
        )
    if event.type is EventType.FOLLOW and event.author_id is None:
        raise InvalidInput(
            "a follow needs an author_id or a video_id", code="author_missing", field="author_id"
        )
