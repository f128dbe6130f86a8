"""A server for the console's tests: its feed follows what is watched."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fake_catalogue import AUTHORS, NOW_MS, TITLES, catalogue

from playbill.contracts import (
    Event,
    EventsReply,
    EventType,
    FeedItem,
    FeedReply,
    FeedRequest,
    Profile,
    RejectedEvent,
    Status,
    Tier,
    TopicShare,
    VideoView,
)
from playbill.core import DAY_MS, HOUR_MS, FixedClock, key64

BUNDLE = "sha256:9f3ac41b7e" + "0" * 54
TOPIC_CAP = 8
WEIGHTS = {EventType.WATCH: 1.0, EventType.LIKE: 1.5, EventType.SKIP: -0.5, EventType.HIDE: -2.0}


@dataclass
class FakeBackend:
    """What the console may ask, answered from memory and without chance."""

    clock: FixedClock
    raises: Exception | None = None
    status_raises: Exception | None = None
    profile_raises: Exception | None = None
    rejects: RejectedEvent | None = None
    tier: Tier = Tier.FULL
    reasons: list[str] = field(default_factory=list)
    took_ms: int = 4
    users: list[str] = field(default_factory=lambda: ["u-ada", "u-grace", "u-linus"])
    videos_by_id: dict[str, VideoView] = field(default_factory=catalogue)
    events: list[Event] = field(default_factory=list)
    requests: list[FeedRequest] = field(default_factory=list)
    traced: list[FeedRequest] = field(default_factory=list)
    bundle: str | None = BUNDLE
    status_asked: int = 0

    async def feed(self, request: FeedRequest) -> FeedReply:
        if self.raises:
            raise self.raises
        self.requests.append(request)
        self.clock.advance(self.took_ms)
        return self._reply(request)

    async def trace(self, request: FeedRequest) -> dict[str, Any]:
        if self.raises:
            raise self.raises
        self.traced.append(request)
        names = ("ann", "fresh", "trending", "seen", "features", "light", "heavy", "slate")
        kinds = ("source", "source", "source", "filter", "features", "scorer", "scorer", "selector")
        stages = [
            {
                "name": name,
                "kind": kind,
                "in": 40 * index,
                "out": 40,
                "ms": 0.21 * (index + 1),
                "note": "12 seen" if kind == "filter" else None,
            }
            for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
        ]
        return {"reply": {}, "stages": stages, "tier": "full", "epochs": {"item": 7, "user": 6}}

    async def act(self, events: list[Event]) -> EventsReply:
        if self.rejects:
            return EventsReply(accepted=0, duplicates=0, rejected=[self.rejects])
        self.events.extend(events)
        return EventsReply(accepted=len(events), duplicates=0, rejected=[])

    def videos(self, video_ids: list[str]) -> list[VideoView | None]:
        return [self.videos_by_id.get(video_id) for video_id in video_ids]

    def profile(self, user_id: str) -> Profile:
        if self.profile_raises:
            raise self.profile_raises
        mine = [event for event in self.events if event.user_id == user_id]
        watches = [event for event in mine if event.type is EventType.WATCH]
        watched = [self.videos_by_id[event.video_id or ""] for event in watches]
        shown = 20.0 * sum(request.user_id == user_id for request in self.requests)
        topics = Counter(video.topics[0] for video in watched)
        authors = Counter(video.author_id for video in watched)
        return Profile(
            known=bool(mine),
            region="north" if mine else None,
            impressions=shown,
            clicks=float(len(watched)),
            topics=[_share(name, count, shown / 8) for name, count in topics.items()],
            authors=[_share(name, count, shown / 5) for name, count in authors.items()],
            recent=watched[::-1],
        )

    def status(self) -> Status:
        if self.status_raises:
            raise self.status_raises
        self.status_asked += 1
        wave = key64(str(self.status_asked)) % 100
        return Status(
            at_ms=self.clock.now_ms(),
            epoch=12_400 + len(self.events),
            epoch_age_ms=180,
            epoch_lag_ms=84,
            videos=len(self.videos_by_id),
            authors=len(AUTHORS),
            topics=len(TITLES),
            bundle=self.bundle,
            bundle_created_at_ms=self.clock.now_ms() - 5 * HOUR_MS if self.bundle else None,
            requests_per_s=380.0 + wave,
            events_per_s=1_204.0,
            latency_p50_ms=2.9,
            latency_p95_ms=7.0 + wave / 20,
            tiers={"full": 98_210, "light": 1_404, "popular": 212},
            workers=2,
            restarts=1,
        )

    def example_users(self) -> list[str]:
        return self.users

    def _reply(self, request: FeedRequest) -> FeedReply:
        weights = self._weights(request.user_id) if request.personalised else Counter()
        served = len(self.requests)
        gone = {
            event.video_id
            for event in self.events
            if event.user_id == request.user_id and event.type in (EventType.WATCH, EventType.HIDE)
        }
        scores = {
            video_id: weights[video.topics[0]] + (key64(f"{video_id}{request.user_id}") % 97) / 97
            for video_id, video in self.videos_by_id.items()
            if video_id not in gone
        }
        best = self._capped(sorted(scores, key=lambda video_id: -scores[video_id]), request.size)
        return FeedReply(
            request_id=f"{0x0198_0000_0000_0000 + served:016x}",
            served_at=self.clock.now_ms(),
            tier=self.tier,
            reasons=self.reasons,
            bundle=self.bundle,
            items=[
                _item(place, video_id, scores[video_id], self.videos_by_id[video_id], weights)
                for place, video_id in enumerate(best)
            ],
            cursor=None,
        )

    def _capped(self, ranked: list[str], size: int) -> list[str]:
        taken: Counter[str] = Counter()
        best = []
        for video_id in ranked:
            topic = self.videos_by_id[video_id].topics[0]
            taken[topic] += 1
            if taken[topic] <= TOPIC_CAP and len(best) < size:
                best.append(video_id)
        return best

    def _weights(self, user_id: str) -> Counter[str]:
        weights: Counter[str] = Counter()
        for event in self.events:
            if event.user_id == user_id and event.video_id in self.videos_by_id:
                topic = self.videos_by_id[event.video_id].topics[0]
                weights[topic] += WEIGHTS.get(event.type, 0.0)  # type: ignore[assignment]
        return weights


def _share(name: str, count: int, shown: float) -> TopicShare:
    return TopicShare(name=name, impressions=shown, long_views=float(count))


def _item(
    place: int, video_id: str, score: float, video: VideoView, weights: Counter[str]
) -> FeedItem:
    explored = place % 7 == 5
    topic = video.topics[0]
    because = "Popular in your region this week."
    source = "trending"
    if weights[topic] > 0:
        because, source = f"You watched {topic} to the end.", "ann"
    elif NOW_MS - video.created_at_ms < DAY_MS:
        because, source = "New today.", "fresh"
    if explored:
        because, source = "Shown by chance, to learn about it.", "explore"
    return FeedItem(
        video_id=video_id,
        position=place,
        score=score,
        source=source,
        propensity=0.043 if explored else 1.0,
        because=because,
    )
