"""The server as its console sees it."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from playbill.app.watcher import Watcher
from playbill.app.wiring import Wiring
from playbill.contracts import (
    Event,
    EventsReply,
    FeedReply,
    FeedRequest,
    Profile,
    Status,
    TopicShare,
    VideoView,
)
from playbill.core import DependencyUnavailable
from playbill.events import Collector
from playbill.features import NO_ROW, NO_TOPIC
from playbill.features.arithmetic_kernel import pow2
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import SLOTS
from playbill.features.texts import decode_entry, video_text_key
from playbill.retrieval import view_of
from playbill.serving.http.reads import Reads

_SHOWN = 8


class InProcessBackend:
    """A ``ConsoleBackend`` over the parts of a worker."""

    def __init__(
        self,
        wiring: Wiring,
        watcher: Watcher,
        collector: Collector,
        reads: Reads,
        answer: Callable[[FeedRequest], FeedReply],
    ) -> None:
        self._wiring = wiring
        self._watcher = watcher
        self._collector = collector
        self._answer = answer
        self._reads = reads
        self._pseudonyms = wiring.pseudonyms()

    async def feed(self, request: FeedRequest) -> FeedReply:
        """Answer like ``GET /v1/feed``."""
        return self._answer(request)

    async def trace(self, request: FeedRequest) -> dict[str, Any]:
        """Answer like ``POST /v1/feed/preview``."""
        return self._reads.traced(request)

    async def act(self, events: list[Event]) -> EventsReply:
        """Take events like ``POST /v1/events``."""
        result, durable = self._collector.take_typed(events)
        for future in durable:
            await asyncio.wrap_future(future)
        return result

    def videos(self, video_ids: list[str]) -> list[VideoView | None]:
        """Return catalogue entries in order, None for one that cannot be found now."""
        texts = self._watcher.service.texts
        try:
            entries = [texts.entry(name) for name in video_ids]
        except DependencyUnavailable:
            return [None] * len(video_ids)
        return [None if entry is None else entry.view() for entry in entries]

    def profile(self, user_id: str) -> Profile:
        """Return what is known of a viewer."""
        try:
            found = self._watcher.users.read(self._pseudonyms.user(user_id))
        except DependencyUnavailable:
            found = None
        if found is None or not found.known:
            return Profile(
                known=False,
                region=None,
                impressions=0.0,
                clicks=0.0,
                topics=[],
                authors=[],
                recent=[],
            )
        user = found.row[0]
        age_ms = float(user["landmark_ms"] - self._wiring.clock.now_ms())
        region = int(user["region"])
        regions = self._wiring.settings.regions
        texts = self._watcher.service.texts
        return Profile(
            known=True,
            region=regions[region - 1] if region else None,
            impressions=_sum(user["slots"], Scope.USER, Signal.IMPRESSION, age_ms),
            clicks=_sum(user["slots"], Scope.USER, Signal.CLICK, age_ms),
            topics=_shares(
                user["topics"], user["topic_slots"], NO_TOPIC, Scope.USER_TOPIC, age_ms, texts.topic
            ),
            authors=_shares(
                user["authors"],
                user["author_slots"],
                NO_ROW,
                Scope.USER_AUTHOR,
                age_ms,
                texts.author,
            ),
            recent=self._recent(user),
        )

    def status(self) -> Status:
        """Return how the deployment is doing."""
        return self._watcher.status.read()

    def example_users(self) -> list[str]:
        """Return the ids that the settings offer to pick from."""
        return list(self._wiring.settings.example_users)

    def _recent(self, user: np.void) -> list[VideoView]:
        rows = user["history"][: user["history_count"]][:_SHOWN].astype(np.int64)
        shared = self._watcher.service.state.shared
        if shared is None:
            return []
        items = view_of(shared).tables.items
        keys = items["key"][rows[rows < len(items)]].tolist()
        found = self._watcher.users.texts([video_text_key(key) for key in keys])
        return [decode_entry(data).view() for data in found if data is not None]


def _sum(sums: Any, scope: Scope, signal: Signal, age_ms: float) -> float:
    """Return one decayed sum, the one with the longest half-life that keeps the signal."""
    for place, slot in reversed(list(enumerate(SLOTS[scope]))):
        if slot.signal is signal:
            return float(sums[place]) * pow2(age_ms / (slot.half_life_s * 1000.0))
    return 0.0


def _shares(
    names: Any, sums: Any, absent: int, scope: Scope, age_ms: float, named: Callable[[int], str]
) -> list[TopicShare]:
    shares = [
        TopicShare(
            name=named(int(name)),
            impressions=_sum(sums[place], scope, Signal.IMPRESSION, age_ms),
            long_views=_sum(sums[place], scope, Signal.LONG_VIEW, age_ms),
        )
        for place, name in enumerate(names)
        if name != absent
    ]
    return sorted(shares, key=lambda share: (-share.long_views, -share.impressions))[:_SHOWN]
