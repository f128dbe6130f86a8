"""The feed: whatever happens, a reply with its tier and its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.contracts import (
    TIER_CODES,
    FeedItem,
    FeedReply,
    FeedRequest,
    Settings,
    Tier,
    settings_digest,
)
from playbill.core import Clock, DependencyUnavailable, RequestIds, key64, request_name
from playbill.events import Vocabulary
from playbill.features import ServedTrace, empty_user, features_digest
from playbill.privacy import Pseudonyms
from playbill.ranking import Deadline, Pipeline, Ranked, RankingRequest, Trace
from playbill.retrieval import SOURCES, DerivedLists, ItemView, Query, SharedView, view_of
from playbill.serving.because import because
from playbill.serving.cursor import read_cursor, write_cursor
from playbill.serving.fallbacks import Fallback, LastLists, popular, static_items
from playbill.serving.impressions import Recorder, request_head, shown_videos
from playbill.serving.texts import Texts
from playbill.serving.user_rows import UserRow, UserRows

Rows = npt.NDArray[np.int64]


@dataclass(slots=True)
class ServingState:
    """What changes under a running server: swapped whole, between requests.

    ``why_no_pipeline`` says why there is no pipeline; ``popular_rows`` are the bundle's lists by
    region code.
    """

    shared: SharedView | None
    pipeline: Pipeline | None
    bundle: str | None
    why_no_pipeline: str
    popular_rows: dict[int, Rows]
    notes: tuple[str, ...] = ()
    """Reasons that every reply carries for now."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A validated request with everything looked up."""

    request: RankingRequest
    message: FeedRequest
    user: bytes
    row: UserRow
    shown_before: npt.NDArray[np.uint64]
    key: int


class FeedService:
    """Answer feed requests in one process. Not for two threads at once.

    Args:
        state: the current bundle and item state; replaced by the one who watches them.
        lists: derived from item state between requests.
        users: rows, texts.
        recorder: where impressions go; None previews without a trace in the log.
    """

    def __init__(
        self,
        settings: Settings,
        state: ServingState,
        lists: DerivedLists,
        users: UserRows,
        pseudonyms: Pseudonyms,
        recorder: Recorder,
        static_path: Path,
        clock: Clock,
        worker: int,
    ) -> None:
        self.state = state
        self.texts = Texts(users.texts)
        self._settings = settings
        self._digest = settings_digest(settings)
        self._lists = lists
        self._users = users
        self._pseudonyms = pseudonyms
        self._recorder = recorder
        self._static_path = static_path
        self._clock = clock
        self._ids = RequestIds(worker)
        self._last_lists = LastLists()
        self._random = np.random.default_rng(worker)
        self._regions = Vocabulary("region", settings.regions)
        self._surfaces = Vocabulary("surface", settings.surfaces)

    def feed(self, message: FeedRequest) -> FeedReply:
        """Answer a request and record what was shown.

        Raises:
            InvalidInput: an undeclared surface or region, or a cursor that is not ours.
        """
        reply, _ = self._answer(message, record=True)
        return reply

    def preview(self, message: FeedRequest) -> tuple[FeedReply, Trace]:
        """Answer a request without recording anything, with what each stage did."""
        return self._answer(message, record=False)

    def last_resort(self, message: FeedRequest, reason: str) -> FeedReply:
        """Answer when the pipeline itself broke: the popular tier, else the static one."""
        try:
            asked = self._ask(message, [], store=False, told=False)
            view = None if self.state.shared is None else view_of(self.state.shared)
            fallback = None if view is None else self._popular(asked, view)
            if view is not None and fallback is not None:
                return self._reply_fallback(asked, view, fallback, Tier.POPULAR, [reason], True)
        except (DependencyUnavailable, ArithmeticError, LookupError, ValueError):
            pass
        return self._static(message, [reason])

    def static(self, message: FeedRequest, reason: str) -> FeedReply:
        """Answer with the safe list alone."""
        return self._static(message, [reason])

    def _answer(self, message: FeedRequest, *, record: bool) -> tuple[FeedReply, Trace]:
        deadline = Deadline(self._clock, self._settings.serving.budget_ms)
        reasons = list(self.state.notes)
        if self._recorder.failing():
            reasons.append("log_unavailable")
        asked = self._ask(message, reasons, store=True, told=not record)
        state = self.state
        view = None if state.shared is None else view_of(state.shared)
        if view is None or view.count == 0:
            missing = "item_state_unavailable" if view is None else "catalogue_empty"
            return self._static(message, [*reasons, missing]), Trace()
        self._note_state(asked, view, reasons)
        if "user_store_unavailable" in reasons:
            cached = self._last_lists.cached(asked.user, asked.request, view)
            if cached is not None:
                reply = self._reply_fallback(asked, view, cached, Tier.CACHED, reasons, record)
                return reply, Trace()
            return self._popular_reply(asked, view, reasons, record), Trace()
        if state.pipeline is None:
            return self._popular_reply(asked, view, [*reasons, state.why_no_pipeline], record), (
                Trace()
            )
        return self._personal(asked, view, deadline, reasons, record)

    def _personal(
        self,
        asked: _Asked,
        view: ItemView,
        deadline: Deadline,
        reasons: list[str],
        record: bool,
    ) -> tuple[FeedReply, Trace]:
        pipeline = self.state.pipeline
        assert pipeline is not None
        try:
            vector = pipeline.model.user_vector(asked.request.query.user)
        except DependencyUnavailable:
            vector = None
            reasons.append("user_tower_failed")
        query = replace(asked.request.query, vector=vector)
        request = replace(asked.request, query=query)
        try:
            ranked = pipeline.run(request, view, deadline)
        except DependencyUnavailable:
            return self._popular_reply(
                asked, view, [*reasons, "light_scorer_failed"], record
            ), Trace()
        if ranked is None:
            return self._popular_reply(asked, view, [*reasons, "no_candidates"], record), Trace()
        reasons += ranked.trace.reasons
        return self._reply_ranked(asked, view, ranked, reasons, record), ranked.trace

    def _ask(self, message: FeedRequest, reasons: list[str], *, store: bool, told: bool) -> _Asked:
        surface = self._surfaces.code(message.surface) or 1
        region = self._regions.code(message.region)
        shown_before = read_cursor(message.cursor)
        user = self._pseudonyms.user(message.user_id)
        row = self._row(user, message, reasons) if store else _unread()
        region = region or int(row.row["region"][0]) or 1
        excluded = self._excluded(message, shown_before)
        request = RankingRequest(
            query=Query(row.row, region, None, self._random),
            surface=surface,
            size=message.size,
            excluded=excluded,
            at_ms=self._clock.now_ms(),
            user_epoch=row.epoch,
            told=told,
        )
        return _Asked(request, message, user, row, shown_before, self._ids.issue(request.at_ms))

    def _row(self, user: bytes, message: FeedRequest, reasons: list[str]) -> UserRow:
        """Return the viewer's row; without personalisation only the age is taken from it."""
        try:
            row = self._users.read(user)
        except DependencyUnavailable:
            reasons.append("user_store_unavailable" if message.personalised else "not_personalised")
            return _unread()
        if message.personalised:
            if not row.known:
                reasons.append("new_user")
            return row
        reasons.append("not_personalised")
        plain = empty_user()
        plain["age"] = row.row["age"]
        return UserRow(plain, known=False, epoch=0)

    def _excluded(self, message: FeedRequest, shown: npt.NDArray[np.uint64]) -> Rows:
        keys = [*shown.tolist(), *(key64(name) for name in message.exclude)]
        return np.sort(self.texts.rows(keys))

    def _note_state(self, asked: _Asked, view: ItemView, reasons: list[str]) -> None:
        """Say what of the state is not as it should be."""
        behind_ms = asked.request.at_ms - view.at_ms
        if behind_ms < 0:
            reasons.append("clock_behind_log")
        if view.epoch - asked.row.epoch > _EPOCHS_BEHIND and asked.row.known:
            reasons.append("user_state_behind")

    def _popular(self, asked: _Asked, view: ItemView) -> Fallback | None:
        rows = self.state.popular_rows
        region = asked.request.query.region
        listed = rows.get(region, rows.get(0, np.empty(0, np.int64)))
        return popular(asked.request, view, self._lists, listed)

    def _popular_reply(
        self, asked: _Asked, view: ItemView, reasons: Sequence[str], record: bool
    ) -> FeedReply:
        fallback = self._popular(asked, view)
        if fallback is None:
            return self._static(asked.message, [*reasons, "nothing_visible"])
        return self._reply_fallback(asked, view, fallback, Tier.POPULAR, reasons, record)

    def _static(self, message: FeedRequest, reasons: Sequence[str]) -> FeedReply:
        now_ms = self._clock.now_ms()
        return FeedReply(
            request_id=request_name(self._ids.issue(now_ms)),
            served_at=now_ms,
            tier=Tier.STATIC,
            reasons=list(reasons),
            bundle=None,
            items=static_items(self._static_path, message.size),
            cursor=None,
        )

    def _reply_ranked(
        self, asked: _Asked, view: ItemView, ranked: Ranked, reasons: list[str], record: bool
    ) -> FeedReply:
        hydrated = ranked.hydrated
        slate = Fallback(ranked.rows, ranked.sources, ranked.scores, ranked.propensity)
        slate, kept = self._worded(view, slate)
        features = ranked.features[kept]
        reply = self._reply(asked, view, slate, ranked.tier, reasons, hydrated.at_ms, features)
        if record:
            if asked.message.personalised:
                self._last_lists.remember(asked.user, slate.rows)
            keys = view.tables.items["key"][slate.rows]
            evidence = None
            if hydrated.settled and self._random.random() < self._settings.serving.trace_share:
                evidence = ServedTrace(
                    asked.key, features_digest(), keys.tobytes(), features.tobytes()
                )
            head = self._head(asked, reply, len(keys), hydrated.item_epoch, hydrated.settled)
            shown = shown_videos(keys, slate.scores, slate.propensity, slate.sources)
            self._recorder.record(head, shown, evidence)
        return reply

    def _worded(self, view: ItemView, slate: Fallback) -> tuple[Fallback, npt.NDArray[np.bool_]]:
        """Return the part of a slate whose words are known, so that what is recorded was shown."""
        keys = view.tables.items["key"][slate.rows]
        kept = np.array([video is not None for video in self.texts.videos(keys.tolist())], np.bool_)
        known = Fallback(
            slate.rows[kept], slate.sources[kept], slate.scores[kept], slate.propensity[kept]
        )
        return known, kept

    def _reply_fallback(
        self,
        asked: _Asked,
        view: ItemView,
        slate: Fallback,
        tier: Tier,
        reasons: Sequence[str],
        record: bool,
    ) -> FeedReply:
        slate, _ = self._worded(view, slate)
        at_ms = max(asked.request.at_ms, view.at_ms, int(asked.row.row["last_at_ms"][0]))
        reply = self._reply(asked, view, slate, tier, reasons, at_ms, None)
        if record:
            keys = view.tables.items["key"][slate.rows]
            head = self._head(asked, reply, len(keys), view.epoch, asked.row.epoch <= view.epoch)
            shown = shown_videos(keys, slate.scores, slate.propensity, slate.sources)
            self._recorder.record(head, shown, None)
        return reply

    def _head(
        self, asked: _Asked, reply: FeedReply, shown: int, item_epoch: int, settled: bool
    ) -> npt.NDArray[np.void]:
        message = asked.message
        session = message.session_id
        return request_head(
            request=asked.key,
            user=asked.user,
            session=self._pseudonyms.session(session) if session else 0,
            at_ms=reply.served_at,
            epochs=(item_epoch, asked.row.epoch),
            bundle=reply.bundle,
            settings=self._digest,
            shown=shown,
            tier=TIER_CODES[reply.tier],
            place=(asked.request.surface, asked.request.query.region),
            settled=settled,
            personalised=message.personalised,
        )

    def _reply(
        self,
        asked: _Asked,
        view: ItemView,
        slate: Fallback,
        tier: Tier,
        reasons: Sequence[str],
        at_ms: int,
        features: npt.NDArray[np.float32] | None,
    ) -> FeedReply:
        keys = view.tables.items["key"][slate.rows]
        videos = self.texts.videos(keys.tolist())
        region = self._regions.name(asked.request.query.region)
        vectors = None if features is None else features.tolist()
        items = []
        for place, video in enumerate(videos):
            if video is None:
                continue
            code = int(slate.sources[place])
            source = SOURCES[code - 1]
            items.append(
                FeedItem(
                    video_id=video.video_id,
                    position=place,
                    score=float(slate.scores[place]),
                    source=source,
                    propensity=float(slate.propensity[place]),
                    because=because(source, video, region, vectors and vectors[place]),
                )
            )
        return FeedReply(
            request_id=request_name(asked.key),
            served_at=at_ms,
            tier=tier,
            reasons=list(dict.fromkeys(reasons)),
            bundle=self.state.bundle if features is not None else None,
            items=items,
            cursor=write_cursor(np.concatenate([asked.shown_before, keys])),
        )


_EPOCHS_BEHIND = 100


def _unread() -> UserRow:
    """Return the row of a viewer whose own cannot be read: nothing is known, a child at worst."""
    row = empty_user()
    row["age"] = 0
    return UserRow(row, known=False, epoch=0)
