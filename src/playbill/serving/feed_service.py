"""The feed: whatever happens, a reply with its tier and its reasons."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import FeedReply, FeedRequest, Priority, Settings, Tier
from playbill.core import (
    FOREIGN_REQUEST,
    Clock,
    DependencyUnavailable,
    Overloaded,
    RequestIds,
    request_key,
    request_name,
)
from playbill.privacy import Pseudonyms
from playbill.ranking import Deadline, Pipeline, RankingRequest, StageRecord, Trace
from playbill.retrieval import DerivedLists, ItemView, SharedView, view_of
from playbill.serving.ahead import Ahead
from playbill.serving.asking import Asked, Asker
from playbill.serving.fallbacks import Fallback, LastLists, static_items
from playbill.serving.impressions import Recorder
from playbill.serving.popular_pools import PopularPools
from playbill.serving.telling import Teller
from playbill.serving.texts import Texts
from playbill.serving.user_rows import UserRows

Rows = npt.NDArray[np.int64]
_EPOCHS_BEHIND = 100
_NO_ROWS: Rows = np.empty(0, np.int64)


@dataclass(slots=True)
class ServingState:
    """What changes under a running server: swapped whole, between requests.

    ``why_no_pipeline`` says why there is no pipeline; ``popular_rows`` are the bundle's lists by
    region code, best first; ``notes`` are reasons that every reply carries for now; ``affordable``
    is the tier that waiting requests leave time for, ``prefetch`` the same where nobody waits for
    the reply, None for none. ``ahead`` are the lists made ahead.
    """

    shared: SharedView | None
    pipeline: Pipeline | None
    bundle: str | None
    why_no_pipeline: str
    popular_rows: dict[int, Rows]
    notes: tuple[str, ...] = ()
    affordable: Tier = Tier.FULL
    prefetch: Tier | None = Tier.FULL
    ahead: Ahead = field(default_factory=Ahead)


class FeedService:
    """Answer feed requests in one process. Not for two threads at once.

    Args:
        settings: of the home.
        state: the current bundle and item state; replaced by the one who watches them.
        lists: derived from item state between requests.
        users: rows, texts.
        pseudonyms: what stands for viewers.
        recorder: where impressions go.
        static_path: the safe list.
        clock: stamps requests.
        worker: number of the process; part of every request id.
        random: what exploration and sampling draw from.
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
        random: np.random.Generator,
    ) -> None:
        self.state = state
        self.texts = Texts(users.texts)
        self._settings = settings
        self._popular_pools = PopularPools(lists, clock, random)
        self._static_path = static_path
        self._clock = clock
        self._ids = RequestIds(worker)
        self._asker = Asker(settings, users, self.texts, pseudonyms, clock, self._ids, random)
        self._last_lists = LastLists()
        self._teller = Teller(settings, self._asker, self.texts, recorder, self._last_lists, random)

    def feed(self, message: FeedRequest, *, recorded: bool = True) -> FeedReply:
        """Answer a request and record what was shown.

        Args:
            recorded: False where the feed is shown later, if at all: then the reply's request id
                is of the half that is not ours, so that a client's impressions count.

        Raises:
            InvalidInput: an undeclared surface or region, or a cursor that is not good here.
            Overloaded: a prefetch, while requests of people wait.
        """
        affordable = self._affordable(message)
        reply, _ = self._answer(message, affordable, recorded=recorded, told=False)
        return reply if recorded else _unrecorded(reply)

    def flush(self) -> None:
        """Send the records that wait to the log."""
        self._teller.flush()

    def preview(self, message: FeedRequest) -> tuple[FeedReply, Trace]:
        """Answer a request without recording anything, with what each stage did."""
        return self._answer(message, self.state.affordable, recorded=False, told=True)

    def last_resort(self, message: FeedRequest, reason: str, *, recorded: bool = True) -> FeedReply:
        """Answer when the pipeline itself broke: the popular tier, else the static one."""
        try:
            asked = self._asker.ask(message, store=False)
            view = None if self.state.shared is None else view_of(self.state.shared)
            fallback = None if view is None else self._popular(asked.request, view)
            if view is not None and fallback is not None:
                reply = self._teller.listed(
                    asked, view, fallback, Tier.POPULAR, [reason], recorded=recorded
                )
                return reply if recorded else _unrecorded(reply)
        except (DependencyUnavailable, ArithmeticError, LookupError, ValueError):
            pass
        return self.static(message, [reason])

    def static(self, message: FeedRequest, reasons: list[str]) -> FeedReply:
        """Answer from the safe list on disk; needs nothing else. The reader's cursor stays good."""
        now_ms = self._clock.now_ms()
        return FeedReply(
            request_id=request_name(self._ids.issue(now_ms)),
            served_at=now_ms,
            tier=Tier.STATIC,
            reasons=reasons,
            bundle=None,
            items=static_items(self._static_path, message.size),
            cursor=message.cursor,
        )

    def _affordable(self, message: FeedRequest) -> Tier:
        """Return the best tier that there is time for.

        Raises:
            Overloaded: there is none for a prefetch.
        """
        state = self.state
        found = state.affordable if message.priority is Priority.INTERACTIVE else state.prefetch
        if found is None:
            raise Overloaded(
                "requests that people wait for are waiting; a prefetch gives way",
                code="gave_way",
                retry_after_s=self._settings.serving.cool_down_s,
                hint="come back after Retry-After seconds, or ask when it is to be shown",
            )
        return found

    def _answer(
        self, message: FeedRequest, affordable: Tier, *, recorded: bool, told: bool
    ) -> tuple[FeedReply, Trace]:
        deadline = Deadline(self._clock, self._settings.serving.budget_ms)
        state = self.state
        started_s = self._clock.elapsed_s()
        asked = self._asker.ask(message, told=told)
        looked_up_ms = (self._clock.elapsed_s() - started_s) * 1000.0
        reasons = [*state.notes, *asked.reasons]
        if affordable is not Tier.FULL:
            reasons.append("pressure")
        if affordable is Tier.STATIC:
            safe = self.static(message, reasons)
            if safe.items:
                return safe, Trace()
        if self._teller.failing():
            reasons.append("log_unavailable")
        view = None if state.shared is None else view_of(state.shared)
        if view is None or view.count == 0:
            missing = "item_state_unavailable" if view is None else "catalogue_empty"
            return self.static(message, [*reasons, missing]), Trace()
        reasons += _standing(asked, view)
        if affordable in (Tier.POPULAR, Tier.STATIC):
            return self._serve_popular(asked, view, reasons, recorded=recorded), Trace()
        if not asked.row_read or affordable is Tier.CACHED:
            cached = self._cached(asked, view, reasons)
            if cached is None:
                return self._serve_popular(asked, view, reasons, recorded=recorded), Trace()
            reply = self._teller.listed(
                asked, view, cached, Tier.CACHED, reasons, recorded=recorded
            )
            return reply, Trace()
        if state.pipeline is None:
            reasons.append(state.why_no_pipeline)
            return self._serve_popular(asked, view, reasons, recorded=recorded), Trace()
        heavy = affordable is Tier.FULL
        reply, trace = self._personal(
            state.pipeline, asked, view, deadline, reasons, heavy=heavy, recorded=recorded
        )
        if told:
            trace.stages.insert(0, StageRecord("viewer", "lookup", 1, 1, looked_up_ms))
        return reply, trace

    def _personal(
        self,
        pipeline: Pipeline,
        asked: Asked,
        view: ItemView,
        deadline: Deadline,
        reasons: list[str],
        *,
        heavy: bool,
        recorded: bool,
    ) -> tuple[FeedReply, Trace]:
        started_s = self._clock.elapsed_s()
        vector = None
        try:
            vector = pipeline.model.user_vector(asked.request.query.user)
        except DependencyUnavailable:
            reasons.append("user_tower_failed")
        tower_ms = (self._clock.elapsed_s() - started_s) * 1000.0
        try:
            ranked = pipeline.run(asked.with_vector(vector), view, deadline, heavy=heavy)
        except DependencyUnavailable:
            reasons.append("light_scorer_failed")
            return self._serve_popular(asked, view, reasons, recorded=recorded), Trace()
        if ranked is None:
            reasons.append("no_candidates")
            return self._serve_popular(asked, view, reasons, recorded=recorded), Trace()
        reasons += ranked.trace.reasons
        started_s = self._clock.elapsed_s()
        reply = self._teller.ranked(
            asked, view, ranked, self.state.bundle, reasons, recorded=recorded
        )
        if asked.request.told:
            words_ms = (self._clock.elapsed_s() - started_s) * 1000.0
            shown = len(reply.items)
            ranked.trace.stages.insert(0, StageRecord("tower", "viewer", 1, 1, tower_ms))
            ranked.trace.stages.append(StageRecord("words", "reply", shown, shown, words_ms))
        return reply, ranked.trace

    def _cached(self, asked: Asked, view: ItemView, reasons: list[str]) -> Fallback | None:
        """Return the viewer's last list here, else the one made ahead; None without either."""
        if not asked.message.personalised:
            return None
        found = self._last_lists.cached(asked.reader, asked.request, view)
        if found is not None:
            return found
        found = self.state.ahead.cached(asked.user, asked.request, view, self.texts)
        if found is not None:
            self._tell_stale(asked, reasons)
        return found

    def _tell_stale(self, asked: Asked, reasons: list[str]) -> None:
        stale_s = self._settings.precompute.stale_s
        if self.state.ahead.stale(asked.request.at_ms, stale_s):
            reasons.append("lists_stale")

    def _serve_popular(
        self, asked: Asked, view: ItemView, reasons: list[str], *, recorded: bool
    ) -> FeedReply:
        fallback = self._popular(asked.request, view)
        if fallback is None:
            return self.static(asked.message, [*reasons, "nothing_visible"])
        self._tell_stale(asked, reasons)
        return self._teller.listed(asked, view, fallback, Tier.POPULAR, reasons, recorded=recorded)

    def _popular(self, request: RankingRequest, view: ItemView) -> Fallback | None:
        rows = self.state.popular_rows
        listed = rows.get(request.query.region, rows.get(0, _NO_ROWS))
        ahead = self.state.ahead.popular(request.query.region, request.surface)
        return self._popular_pools.slate(request, view, listed, ahead)


def _unrecorded(reply: FeedReply) -> FeedReply:
    """Return a reply whose request id says that its impressions are the client's to report."""
    key = request_key(reply.request_id) | FOREIGN_REQUEST
    return msgspec.structs.replace(reply, request_id=request_name(key))


def _standing(asked: Asked, view: ItemView) -> list[str]:
    """Return what of the state is not as it should be."""
    found = []
    if asked.request.at_ms < view.at_ms:
        found.append("clock_behind_log")
    if view.epoch - asked.row.epoch > _EPOCHS_BEHIND and asked.row.known:
        found.append("user_state_behind")
    return found
