"""From log records to what the kernels eat: signals, rows, details."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import EVENT_CODES, EVENT_RECORD, EventType
from playbill.core import FOREIGN_REQUEST
from playbill.events import Impressions
from playbill.features import layout
from playbill.features.definitions import Signal

Records = npt.NDArray[np.void]
LONGEST_WATCH_S = 600.0

_CODE = EVENT_CODES
_GAINS: dict[EventType, tuple[Signal, ...]] = {
    EventType.IMPRESSION: (Signal.IMPRESSION,),
    EventType.CLICK: (Signal.CLICK,),
    EventType.WATCH: (),
    EventType.LIKE: (Signal.LIKE,),
    EventType.SHARE: (Signal.ENGAGE,),
    EventType.COMMENT: (Signal.ENGAGE,),
    EventType.FOLLOW: (Signal.ENGAGE,),
    EventType.SKIP: (Signal.SKIP,),
    EventType.HIDE: (Signal.NEGATIVE,),
    EventType.REPORT: (Signal.NEGATIVE,),
    EventType.SEARCH: (),
}
_ACTIONS: dict[EventType, int] = {
    EventType.CLICK: layout.CLICKED,
    EventType.WATCH: layout.WATCHED,
    EventType.LIKE: layout.LIKED,
    EventType.SHARE: layout.ENGAGED,
    EventType.COMMENT: layout.ENGAGED,
    EventType.FOLLOW: layout.ENGAGED,
    EventType.HIDE: layout.DISLIKED,
    EventType.REPORT: layout.DISLIKED,
}
_GAIN_TABLE = np.zeros((len(EventType) + 1, len(Signal)), np.float32)
_ACTION_TABLE = np.zeros(len(EventType) + 1, np.int64)
for _kind, _signals in _GAINS.items():
    _GAIN_TABLE[_CODE[_kind], list(_signals)] = 1.0
for _kind, _bits in _ACTIONS.items():
    _ACTION_TABLE[_CODE[_kind]] = _bits

IMPRESSION, WATCH, FOLLOW = (
    _CODE[EventType.IMPRESSION],
    _CODE[EventType.WATCH],
    _CODE[EventType.FOLLOW],
)


def impression_events(served: Impressions) -> Records:
    """Return (S,) ``EVENT_RECORD`` of what served feeds showed; they carry no event id."""
    counts = served.requests["count"].astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    records = np.zeros(len(owner), EVENT_RECORD)
    heads = served.requests[owner]
    for name in ("user", "request", "session", "at_ms", "surface", "region"):
        records[name] = heads[name]
    records["received_at_ms"] = heads["at_ms"]
    records["video"] = served.shown["video"]
    starts = np.cumsum(counts) - counts
    records["position"] = np.arange(len(owner)) - starts[owner]
    records["kind"] = IMPRESSION
    return records


def is_viewability(records: Records) -> npt.NDArray[np.bool_]:
    """Return (E,) True for client impressions of our own feeds: the server counted those."""
    ours = (records["request"] != 0) & (records["request"] < FOREIGN_REQUEST)
    reported: npt.NDArray[np.bool_] = (records["kind"] == IMPRESSION) & ours
    return reported


def is_long_view(
    records: Records, rows: npt.NDArray[np.int64], items: Records, long_view_ms: int
) -> npt.NDArray[np.bool_]:
    """Return (E,) True for watches that are long: as the platform says, else by their length.

    Args:
        records: (E,) ``EVENT_RECORD``.
        rows: (E,) row of each video, -1 for none.
        items: (I,) ``ITEM_RECORD``.
        long_view_ms: a watch this long is a long view, or of the whole video if shorter.
    """
    known = rows >= 0
    duration_ms = np.where(known, items["duration_ms"][np.where(known, rows, 0)], long_view_ms)
    enough = records["watch_ms"] >= np.minimum(duration_ms, long_view_ms)
    said = records["long_view"]
    long: npt.NDArray[np.bool_] = (records["kind"] == WATCH) & np.where(
        said == 0, enough, said == 2
    )
    return long


@dataclass(frozen=True, slots=True)
class Expanded:
    """E events ready to be absorbed.

    ``at_ms`` (E,) instants, none past the epoch's; ``rows`` (E,) of the videos, -1 for none or an
    unknown one; ``authors`` (E,) rows of the authors that sums go to, -1 for none; ``signals``
    (E, S) what each event adds, by ``Signal``; ``details`` (E, D) by ``layout.Detail``.
    """

    at_ms: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]
    signals: npt.NDArray[np.float32]
    details: npt.NDArray[np.int64]


def expand(
    records: Records,
    rows: npt.NDArray[np.int64],
    followed: npt.NDArray[np.int64],
    items: Records,
    now_ms: int,
    long_view_ms: int,
    foretold: npt.NDArray[np.float32],
) -> Expanded:
    """Return what E events add to whom.

    Args:
        records: (E,) ``EVENT_RECORD``.
        rows: (E,) row of each video, -1 for none.
        followed: (E,) row of the author that the event itself names, -1 for none.
        items: (I,) ``ITEM_RECORD``.
        now_ms: the epoch's instant; nothing counts as later.
        long_view_ms: as for ``is_long_view``.
        foretold: (256, 2) clicks and long views for one showing, by surface code.
    """
    kinds = records["kind"]
    known = rows >= 0
    safe = np.where(known, rows, 0)
    signals = _GAIN_TABLE[kinds]
    watched = kinds == WATCH
    long_view = is_long_view(records, rows, items, long_view_ms)
    signals[:, Signal.LONG_VIEW] = long_view
    watch_s = np.minimum(records["watch_ms"] / np.float32(1000.0), np.float32(LONGEST_WATCH_S))
    signals[:, Signal.WATCH_S] = np.where(watched, watch_s, np.float32(0.0))
    shown = kinds == IMPRESSION
    promised = [Signal.CLICK_FORETOLD, Signal.LONG_VIEW_FORETOLD]
    signals[:, promised] = np.where(shown[:, None], foretold[records["surface"]], np.float32(0.0))
    authors = np.where(known, items["author"][safe].astype(np.int64), followed)
    details = np.empty((len(records), len(layout.Detail)), np.int64)
    details[:, layout.Detail.SEEN] = shown | watched
    details[:, layout.Detail.ACTION] = _ACTION_TABLE[kinds] | np.where(long_view, layout.LONG, 0)
    target = np.where(followed >= 0, followed, authors)
    details[:, layout.Detail.FOLLOWED] = np.where(kinds == FOLLOW, target, -1)
    details[:, layout.Detail.REGION] = records["region"]
    at_ms = np.minimum(records["at_ms"], now_ms)
    return Expanded(at_ms, rows, authors, signals, details)
