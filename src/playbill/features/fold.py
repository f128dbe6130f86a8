"""The fold: one epoch of the log, absorbed. Live and replay run exactly this."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings, UserState
from playbill.core import KEY_ABSENT, key64
from playbill.events import EpochInput
from playbill.features import layout
from playbill.features.absorb_kernel import absorb
from playbill.features.catalogue import (
    Texts,
    first_of_each_key,
    fold_takedowns,
    fold_videos,
    videos_that_fit,
)
from playbill.features.definitions import Scope
from playbill.features.expand import (
    FOLLOW,
    Expanded,
    Records,
    expand,
    impression_events,
    is_viewability,
)
from playbill.features.key_table import number_ids
from playbill.features.layout import HALF_LIVES_MS, USER_TABLES, scope_tables
from playbill.features.state import FeatureState
from playbill.features.user_facts import apply_facts
from playbill.features.user_kernel import absorb_users

_TABLES = {scope: scope_tables(scope) for scope in Scope}
_DTYPE_USER = layout.USER_RECORD


@dataclass(slots=True)
class Folded:
    """What an epoch changed: rows by table, viewers' rows and texts to commit, and counts.

    ``counted`` is (E,) True for the epoch's events that were folded: no duplicates, and no client
    impressions of feeds that the server itself recorded. ``unknown_authors`` are follows of authors
    for whom there is no room, ``video_keys_taken`` videos whose key another id has, and
    ``videos_without_room`` videos left out because the tables of videos or authors are full.
    """

    items: list[npt.NDArray[np.int64]] = field(default_factory=list)
    authors: list[npt.NDArray[np.int64]] = field(default_factory=list)
    topics: list[npt.NDArray[np.int64]] = field(default_factory=list)
    users: dict[bytes, bytes] = field(default_factory=dict)
    texts: Texts = field(default_factory=dict)
    counted: npt.NDArray[np.bool_] | None = None
    events: int = 0
    duplicates: int = 0
    viewability: int = 0
    unknown_videos: int = 0
    unknown_authors: int = 0
    video_keys_taken: int = 0
    videos_without_room: int = 0


class Fold:
    """Absorb epochs into item state and viewers' rows.

    Args:
        settings: regions and what a long view is.
        state: changed in place.
        users: read for the rows that an epoch touches; never written here.
    """

    def __init__(self, settings: Settings, state: FeatureState, users: UserState) -> None:
        self.state = state
        self._users = users
        self._regions = {name: code for code, name in enumerate(settings.regions, start=1)}
        self._long_view_ms = settings.labels.long_view_ms

    def absorb(self, content: EpochInput, *, with_users: bool = True) -> Folded:
        """Fold one epoch and return what changed.

        The order is fixed: videos, take-downs, viewers' facts, events by partition and offset,
        then what served feeds showed. ``with_users`` is False only while recovering from a
        checkpoint that is older than the user store.
        """
        state, folded = self.state, Folded()
        videos = first_of_each_key(state, content.videos, self._users.texts)
        folded.video_keys_taken = len(content.videos) - len(videos)
        fitting = videos_that_fit(state, videos)
        folded.videos_without_room = len(videos) - len(fitting)
        posted = fold_videos(state, fitting, self._regions, folded.texts)
        hidden = fold_takedowns(state, content.takedowns, folded.texts, self._users.texts)
        folded.items += [posted, hidden]
        items = state.items.records
        topics = items["topics"][posted]
        folded.authors.append(items["author"][posted].astype(np.int64))
        folded.topics.append(topics[topics != layout.NO_TOPIC].astype(np.int64))
        for facts in content.users:
            if facts.follows:
                keys = np.array(list(map(key64, facts.follows)), np.uint64)
                self._number_followed(keys, folded)
            numbers = [state.topic(name) for name in facts.interests or ()]
            folded.topics.append(np.array([n for n in numbers if n != layout.NO_TOPIC], np.int64))
        records = self._records(content, folded)
        expanded = self._expand(records, content.at_ms, folded)
        self._absorb_items(expanded, folded)
        self._absorb_trending(records, expanded, content.at_ms)
        if with_users:
            self._absorb_users(content, records, expanded, folded)
        state.epoch, state.at_ms = content.epoch, content.at_ms
        return folded

    def _records(self, content: EpochInput, folded: Folded) -> Records:
        """Return the events that count: each id once, our own impressions once."""
        events = content.event_records()
        fresh = self.state.recent_ids.add(np.ascontiguousarray(events["event"]), content.at_ms)
        viewability = is_viewability(events)
        folded.duplicates = int((~fresh).sum())
        folded.viewability = int((fresh & viewability).sum())
        folded.counted = fresh & ~viewability
        counted = events[folded.counted]
        served = impression_events(content.served())
        folded.events = len(counted) + len(served)
        return np.concatenate([counted, served])

    def _number_followed(self, keys: npt.NDArray[np.uint64], folded: Folded) -> None:
        """Give authors a row before anybody follows them, also before they post a video."""
        rows = self.state.followed(keys)
        folded.authors.append(rows[rows >= 0])
        folded.unknown_authors += int((rows < 0).sum())

    def _expand(self, records: Records, now_ms: int, folded: Folded) -> Expanded:
        rows = self.state.items.rows(np.ascontiguousarray(records["video"]))
        authors = np.ascontiguousarray(records["author"])
        self._number_followed(
            authors[(records["kind"] == FOLLOW) & (authors != KEY_ABSENT)], folded
        )
        followed = self.state.authors.rows(authors)
        folded.unknown_videos = int(((rows < 0) & (records["video"] != 0)).sum())
        items = self.state.items.records
        rates = self.state.surfaces
        expanded = expand(
            records, rows, followed, items, now_ms, self._long_view_ms, rates.foretold()
        )
        rates.absorb(records["surface"], expanded.signals, now_ms)
        return expanded

    def _absorb_items(self, events: Expanded, folded: Folded) -> None:
        state = self.state
        known = events.rows >= 0
        topics = state.items.records["topics"][np.where(known, events.rows, 0)].astype(np.int64)
        topics[~known] = layout.NO_TOPIC
        flat = topics.reshape(-1)
        flat[flat == layout.NO_TOPIC] = -1
        per_event = topics.shape[1]
        for scope, table, rows, repeat in (
            (Scope.ITEM, state.items, events.rows, 1),
            (Scope.AUTHOR, state.authors, events.authors, 1),
            (Scope.TOPIC, state.topics, flat, per_event),
        ):
            tables = _TABLES[scope]
            absorb(
                table.records,
                rows,
                np.repeat(events.at_ms, repeat),
                np.repeat(events.signals, repeat, axis=0),
                tables.signal,
                tables.decay,
                HALF_LIVES_MS,
            )
        folded.items.append(events.rows[known])
        folded.authors.append(events.authors[events.authors >= 0])
        folded.topics.append(flat[flat >= 0])

    def _absorb_trending(self, records: Records, events: Expanded, now_ms: int) -> None:
        """Count events for the lists, but for hidden videos, which late events do not list."""
        flags = self.state.items.records["flags"][np.where(events.rows >= 0, events.rows, 0)]
        shown = (events.rows >= 0) & ((flags & layout.VISIBLE) != 0)
        self.state.trending.absorb(
            events.rows[shown],
            records["region"].astype(np.int64)[shown],
            events.at_ms[shown],
            events.signals[shown],
            now_ms,
        )

    def _absorb_users(
        self, content: EpochInput, records: Records, events: Expanded, folded: Folded
    ) -> None:
        facts = content.users
        fact_ids = np.frombuffer(b"".join(fact.user for fact in facts), np.uint64).reshape(-1, 2)
        ids = np.concatenate([fact_ids, records["user"]])
        if not len(ids):
            return
        numbers, keys = _in_key_order(*number_ids(np.ascontiguousarray(ids)), ids)
        empty = layout.empty_user().tobytes()
        stored = [row or empty for row in self._users.read_many(keys)]
        users = np.frombuffer(bytearray(b"".join(stored)), _DTYPE_USER)
        for fact, number in zip(facts, numbers, strict=False):
            row = users[number : number + 1]
            apply_facts(self.state, row, fact, self._regions, content.at_ms)
        absorb_users(
            users,
            numbers[len(facts) :],
            events.at_ms,
            events.signals,
            events.rows,
            self.state.items.records,
            events.details,
            USER_TABLES,
            HALF_LIVES_MS,
        )
        rows: list[bytes] = users.view(f"V{_DTYPE_USER.itemsize}").tolist()
        folded.users = dict(zip(keys, rows, strict=True))


def _in_key_order(
    numbers: npt.NDArray[np.int64], firsts: npt.NDArray[np.int64], ids: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], list[bytes]]:
    """Return (N,) the place of each of (N, 2) ids among the different ones, and those in order.

    A store that keeps rows in the order of their keys reads and writes them fastest so.

    Args:
        numbers: (N,) as of ``number_ids``.
        firsts: (K,) as of ``number_ids``.
        ids: (N, 2).
    """
    names = ids[firsts]
    high, low = names.byteswap().T
    order = np.lexsort((low, high))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    keys: list[bytes] = names[order].view("V16")[:, 0].tolist()
    return places[numbers], keys
