"""What the kernels compute, said plainly: every number from the list of what happened.

Nothing serves from here. Property tests fold the same log twice, once through the kernels and
once through ``NaiveState``, and compare; what a kernel may do differently is rounding, and
forgetting where a small table of the viewer's row is full.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from playbill.contracts import EVENT_CODES, EventType, Settings, StoredUser, StoredVideo
from playbill.core import FOREIGN_REQUEST, key64
from playbill.events import EpochInput
from playbill.features import layout
from playbill.features.definitions import (
    FEATURES,
    Fact,
    FactKind,
    Rate,
    Scope,
    Signal,
    Slot,
)
from playbill.features.expand import LONGEST_WATCH_S
from playbill.features.surface_rates import FORETOLD, HALF_LIFE_MS, PRIORS, STRENGTH
from playbill.features.user_facts import INTEREST_SHOWN, INTEREST_TAKEN

_HOUR_MS = 3_600_000
_KINDS = {code: kind for kind, code in EVENT_CODES.items()}
_GAINS = {
    EventType.IMPRESSION: Signal.IMPRESSION,
    EventType.CLICK: Signal.CLICK,
    EventType.LIKE: Signal.LIKE,
    EventType.SHARE: Signal.ENGAGE,
    EventType.COMMENT: Signal.ENGAGE,
    EventType.FOLLOW: Signal.ENGAGE,
    EventType.SKIP: Signal.SKIP,
    EventType.HIDE: Signal.NEGATIVE,
    EventType.REPORT: Signal.NEGATIVE,
}
_ACTIONS = {
    EventType.CLICK: layout.CLICKED,
    EventType.WATCH: layout.WATCHED,
    EventType.LIKE: layout.LIKED,
    EventType.SHARE: layout.ENGAGED,
    EventType.COMMENT: layout.ENGAGED,
    EventType.FOLLOW: layout.ENGAGED,
    EventType.HIDE: layout.DISLIKED,
    EventType.REPORT: layout.DISLIKED,
}

Gains = dict[Signal, float]
Happened = list[tuple[int, Gains]]
"""(instant in ms, what it added), in the order of the log."""


def pow2(x: float) -> float:
    """Return 2**x, x clamped to [-1000, 1000]."""
    return math.pow(2.0, min(max(x, -1000.0), 1000.0))


def log1p(v: float) -> float:
    """Return log(1 + v), 0 for v below 0."""
    return math.log1p(max(v, 0.0))


def decayed_sum(gains: Iterable[tuple[int, float]], half_life_ms: float, at_ms: int) -> float:
    """Return the sum of gain x 2^(-(at - t) / half-life) over (t in ms, gain)."""
    return math.fsum(gain * pow2(-(at_ms - t_ms) / half_life_ms) for t_ms, gain in gains)


@dataclass(frozen=True, slots=True)
class Remembered:
    """One entry of a viewer's history."""

    video: int
    at_s: int
    actions: int


def remember(history: list[Remembered], video: int, at_s: int, actions: int) -> list[Remembered]:
    """Return a history with one more deed: a video once, newest first, 32 at most."""
    for entry in history:
        if entry.video == video:
            at_s, actions = max(at_s, entry.at_s), actions | entry.actions
    others = [entry for entry in history if entry.video != video]
    place = sum(entry.at_s > at_s for entry in others)
    others.insert(place, Remembered(video, at_s, actions))
    return others[: layout.HISTORY]


def followed(follows: list[int], author: int) -> list[int]:
    """Return a list of follows with an author in front, 16 at most."""
    return [author, *(other for other in follows if other != author)][: layout.FOLLOWS]


@dataclass(slots=True)
class Viewer:
    """What is known of one viewer."""

    first_at_ms: int = 0
    last_at_ms: int = 0
    region: int = 0
    language: str | None = None
    age: int | None = None
    history: list[Remembered] = field(default_factory=list)
    follows: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)


@dataclass(slots=True)
class NaiveState:
    """Everything that happened, by whom it happened to; videos and authors by key.

    ``happened`` is keyed by scope and owner: a video, author or topic key; a viewer; a viewer and
    a topic or author key. Event ids are remembered for ever.
    """

    settings: Settings
    videos: dict[int, StoredVideo] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    authors: set[int] = field(default_factory=set)
    viewers: dict[bytes, Viewer] = field(default_factory=lambda: defaultdict(Viewer))
    happened: dict[tuple[object, ...], Happened] = field(default_factory=lambda: defaultdict(list))
    ids: set[bytes] = field(default_factory=set)
    by_surface: dict[int, Happened] = field(default_factory=lambda: defaultdict(list))
    """What happened on each surface, all of an epoch at its instant."""
    at_ms: int = 0
    foretold: dict[int, Gains] = field(default_factory=dict)

    def absorb(self, content: EpochInput) -> None:
        """Take one epoch in: videos, take-downs, facts, events, served feeds."""
        for video in content.videos:
            self._post(video)
        self.hidden |= {down.key for down in content.takedowns} & self.videos.keys()
        for fact in content.users:
            self._tell(fact, min(fact.at_ms, content.at_ms))
        counted = [event for event in content.event_records() if self._counts(event)]
        self.authors |= {
            int(event["author"])
            for event in counted
            if _KINDS[int(event["kind"])] is EventType.FOLLOW and event["author"]
        }
        self.foretold = {surface: self._foretell(surface) for surface in range(256)}
        for event in counted:
            self._act(event, content.at_ms)
        for feeds in content.impressions:
            owners = np.repeat(np.arange(len(feeds.requests)), feeds.requests["count"])
            for owner, shown in zip(owners, feeds.shown, strict=True):
                head = feeds.requests[owner]
                at_ms = min(int(head["at_ms"]), content.at_ms)
                viewer, place = head["user"].tobytes(), (int(head["region"]), int(head["surface"]))
                self._show(viewer, int(shown["video"]), at_ms, content.at_ms, place)
        self.at_ms = content.at_ms

    def _counts(self, event: np.void) -> bool:
        """Return whether an event is new and none of our own impressions; remember its id."""
        ours = 0 < int(event["request"]) < FOREIGN_REQUEST
        viewability = _KINDS[int(event["kind"])] is EventType.IMPRESSION and ours
        identity = event["event"].tobytes()
        fresh = identity not in self.ids
        self.ids.add(identity)
        return fresh and not viewability

    def _post(self, video: StoredVideo) -> None:
        first = self.videos.get(video.key, video)
        if first.video_id != video.video_id:
            return
        self.authors.add(key64(video.author_id))
        self.videos[video.key] = replace(video, created_at_ms=first.created_at_ms)
        self.hidden.discard(video.key)

    def _tell(self, fact: StoredUser, at_ms: int) -> None:
        viewer = self.viewers[fact.user]
        if not viewer.first_at_ms:
            viewer.first_at_ms = viewer.last_at_ms = at_ms
        if fact.region is not None:
            viewer.region = self.settings.regions.index(fact.region) + 1
        viewer.language = fact.language or viewer.language
        viewer.age = viewer.age if fact.age is None else fact.age
        if fact.follows is not None:
            viewer.follows = []
            for name in fact.follows:
                self.authors.add(key64(name))
                viewer.follows = followed(viewer.follows, key64(name))
        chosen = {
            Signal.IMPRESSION: INTEREST_SHOWN,
            Signal.CLICK: INTEREST_TAKEN,
            Signal.LONG_VIEW: INTEREST_TAKEN,
        }
        for name in fact.interests or ():
            self.happened[Scope.USER_TOPIC, fact.user, key64(name)] = [(at_ms, chosen)]

    def _foretell(self, surface: int) -> Gains:
        """Return what one showing on a surface counts for, by all that happened there before."""
        happened = self.by_surface.get(surface, [])

        def total(signal: Signal) -> float:
            gains = [(at_ms, gains.get(signal, 0.0)) for at_ms, gains in happened]
            return decayed_sum(gains, HALF_LIFE_MS, self.at_ms)

        shown = total(Signal.IMPRESSION) + STRENGTH
        rates = [
            min((total(signal) + prior * STRENGTH) / shown, 1.0)
            for signal, prior in zip(FORETOLD, PRIORS, strict=True)
        ]
        return {Signal.CLICK_FORETOLD: rates[0], Signal.LONG_VIEW_FORETOLD: rates[1]}

    def _show(
        self, viewer: bytes, video: int, at_ms: int, now_ms: int, place: tuple[int, int]
    ) -> None:
        known = self.videos.get(video)
        author = None if known is None else key64(known.author_id)
        region, surface = place
        gains = {Signal.IMPRESSION: 1.0, **self.foretold[surface]}
        self._count(viewer, video, author, at_ms, region, gains, 0)
        self.by_surface[surface].append((now_ms, gains))
        if known is not None:
            self.viewers[viewer].seen.add(video)

    def _act(self, event: np.void, now_ms: int) -> None:
        kind = _KINDS[int(event["kind"])]
        viewer, video = event["user"].tobytes(), int(event["video"])
        known, named = self.videos.get(video), int(event["author"])
        author = named if named in self.authors else None
        if kind is EventType.FOLLOW and (author is not None or known is not None):
            whom = author if author is not None or known is None else key64(known.author_id)
            assert whom is not None
            self.viewers[viewer].follows = followed(self.viewers[viewer].follows, whom)
        if known is not None:
            author = key64(known.author_id)
        gains: Gains = {_GAINS[kind]: 1.0} if kind in _GAINS else {}
        actions = _ACTIONS.get(kind, 0)
        if kind is EventType.WATCH:
            gains[Signal.WATCH_S] = min(int(event["watch_ms"]) / 1000.0, LONGEST_WATCH_S)
            if self._is_long(event, known):
                gains[Signal.LONG_VIEW] = 1.0
                actions |= layout.LONG
        if kind is EventType.IMPRESSION:
            gains |= self.foretold[int(event["surface"])]
        at_ms = min(int(event["at_ms"]), now_ms)
        self._count(viewer, video, author, at_ms, int(event["region"]), gains, actions)
        self.by_surface[int(event["surface"])].append((now_ms, gains))
        if known is not None and kind in (EventType.IMPRESSION, EventType.WATCH):
            self.viewers[viewer].seen.add(video)

    def _is_long(self, event: np.void, known: StoredVideo | None) -> bool:
        if event["long_view"]:
            return bool(event["long_view"] == 2)
        enough_ms = self.settings.labels.long_view_ms
        if known is not None:
            enough_ms = min(enough_ms, known.duration_ms)
        return bool(event["watch_ms"] >= enough_ms)

    def _count(
        self,
        name: bytes,
        video: int,
        author: int | None,
        at_ms: int,
        region: int,
        gains: Gains,
        actions: int,
    ) -> None:
        viewer, known = self.viewers[name], self.videos.get(video)
        owners: list[tuple[object, ...]] = [(Scope.USER, name)]
        if author is not None:
            owners.append((Scope.AUTHOR, author))
        if known is not None:
            owners += [(Scope.ITEM, video), (Scope.USER_AUTHOR, name, author)]
            for topic in known.topics:
                owners += [(Scope.TOPIC, key64(topic)), (Scope.USER_TOPIC, name, key64(topic))]
        for owner in owners:
            self.happened[owner].append((at_ms, gains))
        viewer.first_at_ms = min(viewer.first_at_ms or at_ms, at_ms)
        if at_ms >= viewer.last_at_ms:
            viewer.last_at_ms = at_ms
            viewer.region = region or viewer.region
        if known is not None and actions:
            viewer.history = remember(viewer.history, video, at_ms // 1000, actions)

    def read(self, name: bytes, video: int, at_ms: int) -> dict[str, float]:
        """Return every feature of one viewer and one video, by name."""
        owners = self._owners(name, video)
        values: dict[str, float] = {}
        for feature in FEATURES:
            if isinstance(feature, Fact):
                values[feature.name] = self._fact(feature.fact, name, video, at_ms)
                continue
            sums = [self._sum(slot, owners[slot.scope], at_ms) for slot in feature.slots()]
            if isinstance(feature, Rate):
                above = sums[0] + feature.prior * feature.strength
                values[feature.name] = above / (sums[1] + feature.strength)
            else:
                values[feature.name] = log1p(sums[0])
        return values

    def _owners(self, name: bytes, video: int) -> dict[Scope, list[tuple[object, ...]]]:
        """Return whose sums each scope means; of several the mean counts, of none nothing."""
        known = self.videos[video]
        author = key64(known.author_id)
        topics = [key64(topic) for topic in known.topics]
        return {
            Scope.ITEM: [(Scope.ITEM, video)],
            Scope.AUTHOR: [(Scope.AUTHOR, author)],
            Scope.TOPIC: [(Scope.TOPIC, topic) for topic in topics],
            Scope.USER: [(Scope.USER, name)],
            Scope.USER_TOPIC: [(Scope.USER_TOPIC, name, topic) for topic in topics],
            Scope.USER_AUTHOR: [(Scope.USER_AUTHOR, name, author)],
        }

    def _sum(self, slot: Slot, owners: list[tuple[object, ...]], at_ms: int) -> float:
        gains = [
            (t_ms, gains[slot.signal])
            for owner in owners
            for t_ms, gains in self.happened.get(owner, [])
            if slot.signal in gains
        ]
        return decayed_sum(gains, slot.half_life_s * 1000.0, at_ms) / max(len(owners), 1)

    def _fact(self, fact: FactKind, name: bytes, video: int, at_ms: int) -> float:
        known, viewer = self.videos[video], self.viewers.get(name, Viewer())
        history = [self.videos[entry.video] for entry in viewer.history]
        newest = history[: layout.RECENT]
        met = bool(viewer.first_at_ms)
        day = 2.0 * math.pi * ((at_ms // _HOUR_MS) % 24) / 24.0
        match fact:
            case FactKind.ITEM_AGE:
                return log1p((at_ms - known.created_at_ms) / _HOUR_MS)
            case FactKind.ITEM_DURATION:
                return log1p(known.duration_ms / 1000.0)
            case FactKind.USER_TENURE:
                return log1p((at_ms - viewer.first_at_ms) / _HOUR_MS) if met else 0.0
            case FactKind.USER_IDLE:
                return log1p((at_ms - viewer.last_at_ms) / _HOUR_MS) if met else 0.0
            case FactKind.HOUR_SIN:
                return math.sin(day)
            case FactKind.HOUR_COS:
                return math.cos(day)
            case FactKind.FOLLOWS_AUTHOR:
                return float(key64(known.author_id) in viewer.follows)
            case FactKind.IN_HISTORY:
                return float(any(entry.video == video for entry in viewer.history))
            case FactKind.RECENT_SAME_TOPIC:
                first = known.topics[:1]
                return _share([bool(first) and first == other.topics[:1] for other in newest])
            case FactKind.RECENT_SAME_AUTHOR:
                return log1p(sum(known.author_id == other.author_id for other in history))
            case FactKind.LANGUAGE_MATCH:
                if viewer.language is None or known.language is None:
                    return 0.5
                return float(_primary(viewer.language) == _primary(known.language))
            case FactKind.RECENT_LONG:
                recent = viewer.history[: layout.RECENT]
                return _share([bool(entry.actions & layout.LONG) for entry in recent])


def _share(answers: list[bool]) -> float:
    return sum(answers) / len(answers) if answers else 0.0


def _primary(tag: str) -> str:
    return tag.split("-")[0].lower()
