"""Between requests: heartbeat, store, item state, lists, bundle. One per server process."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playbill.app.attempts import Attempts
from playbill.app.beside import Beside
from playbill.app.collecting import collect_young
from playbill.app.keeping import allowed_bytes
from playbill.app.lists_watch import ListsWatch
from playbill.app.opening import Opening
from playbill.app.wiring import Wiring
from playbill.contracts import REASONS, FeedRequest
from playbill.core import BrokenContract, DependencyUnavailable, PlaybillError
from playbill.events import Collector
from playbill.features.adapters.shared_items import SharedItems
from playbill.ranking import RankingRequest
from playbill.retrieval import NEAR_AMONG, DerivedLists, view_of
from playbill.serving import (
    Board,
    BoardRow,
    DrilledModel,
    Drills,
    FeedService,
    Recorder,
    ServingState,
    StatusReader,
    UserRows,
    log_mishap,
)
from playbill.serving.catalogue_guard import CatalogueGuard
from playbill.serving.pressure import Pressure
from playbill.serving.rehearsal import requests_again
from playbill.serving.warm_up import warm_kernels

if TYPE_CHECKING:
    from playbill.serving.bundle_model import BundleModel

Rows = npt.NDArray[np.int64]

_LISTS_EVERY_S = 0.2
_FILES_EVERY_S = 0.5
_RECORDS_EVERY_S = 0.05
"""A commit costs half a millisecond of the core: records of feeds share one."""
_PAGES_EVERY_S = 10.0
_RETRY_REFUSED_S = 30.0
_WARM_UP_FEEDS = 20
_log = logging.getLogger("playbill")


class Watcher:
    """Keep a server's state current, and swap a new bundle in between two requests."""

    def __init__(
        self, wiring: Wiring, collector: Collector, board: Board, row: BoardRow, place: int
    ) -> None:
        self._wiring = wiring
        self._clock = wiring.clock
        self._board = board
        self._row = row
        self._lists = DerivedLists(wiring.settings.serving.fresh_s * 1000)
        self._opening = Opening(wiring, self._lists, place)
        self._store = self._opening.store
        self._drills = Drills(
            wiring.layout.drills, wiring.clock, place, allowed=wiring.settings.drills
        )
        self.users = UserRows(
            lambda: wiring.users(writer=False),
            wiring.clock,
            wiring.settings.serving.user_store_ms,
            self._drills.at_a_row,
        )
        self._state = ServingState(None, None, None, "no_bundle", {})
        lost: Callable[[int], None] = lambda count: row.add("impressions_lost", count)  # noqa: E731
        self.service = FeedService(
            wiring.settings,
            self._state,
            self._lists,
            self.users,
            wiring.pseudonyms(),
            Recorder(collector, lost),
            wiring.layout.static_feed,
            wiring.clock,
            place,
            np.random.default_rng(),
        )
        self.status = StatusReader(board, self.service, wiring.clock)
        self.guard = CatalogueGuard(
            self._state, self.service.texts, wiring.settings.state.item_capacity
        )
        serving = wiring.settings.serving
        self.pressure = Pressure(wiring.clock, serving.pressure_ms, float(serving.cool_down_s))
        self._popular: dict[int, Rows] = {}
        self._items: SharedItems | None = None
        self._model: BundleModel | None = None
        self._refused: str | None = None
        self._refused_until_s = 0.0
        self._told: set[tuple[str | None, str]] = set()
        self._ahead = ListsWatch(wiring.layout.lists, self._state.ahead, lambda: self._items, row)
        self._attempts = Attempts(row, wiring.clock)
        self._loading: asyncio.Task[None] | None = None
        self._merging: asyncio.Task[None] | None = None
        self._entering: asyncio.Task[None] | None = None
        self._beside = Beside()
        self._lists_at_s = 0.0
        self._files_at_s = 0.0
        self._records_at_s = 0.0
        self._pages_from_s = 0.0
        self._seen_epoch = -1

    async def warm_up(self) -> None:
        """Load what there is, and run every kernel and some feeds of late, before the first one."""
        self._map_items()
        if self._items is not None:
            await asyncio.to_thread(warm_kernels, self._items, self._clock, self._wiring.settings)
            await asyncio.to_thread(self._items.touch)
        self._refresh_lists()
        await self._load_champion()
        await self._ahead.load()
        for number in range(_WARM_UP_FEEDS):
            self.service.preview(FeedRequest(user_id=f"warm-up-{number}"))
        self.status.count_visible()

    def feel(self, wait_ms: float) -> None:
        """Learn how long something has waited for its turn, and serve what is affordable."""
        self.pressure.observe(wait_ms)
        self.afford()
        now_s = self._clock.elapsed_s()
        if now_s - self._records_at_s >= _RECORDS_EVERY_S:
            self._records_at_s = now_s
            self._attempts.do("sending records of feeds", self.service.flush)

    def afford(self) -> None:
        """Serve what is affordable from now on."""
        self._state.affordable = self.pressure.tier
        self._state.prefetch = self.pressure.prefetch_tier

    def beat(self) -> None:
        """Do what is due; called ten times a second, so each part must be short.

        A part that breaks stops neither the heart nor the other parts.
        """
        now_s = self._clock.elapsed_s()
        self._row.beat(now_s)
        do = self._attempts.do
        do("the look at the updater", self._look_at_updater)
        do("the look at drills", self._drills.refresh)
        do("opening the user store", self.users.refresh)
        do("sampling the board", self.status.sample)
        do("collecting garbage", collect_young)
        if now_s - self._lists_at_s >= _LISTS_EVERY_S:
            self._lists_at_s = now_s
            do("refreshing the lists", self._refresh_lists)
        if now_s - self._files_at_s >= _FILES_EVERY_S:
            self._files_at_s = now_s
            do("mapping item state", self._map_items)
            do("counting videos", self.status.count_visible)
            do("looking at the lists made ahead", self._ahead.look)
            do("entering pages of the user store", self._enter_pages)
            if self._loading is None or self._loading.done():
                self._loading = asyncio.get_running_loop().create_task(self._load_champion())

    def beat_lightly(self) -> None:
        """Do what a process that serves no feeds needs, as ``beat`` does."""
        self._row.beat(self._clock.elapsed_s())
        self._attempts.do("opening the user store", self.users.refresh)
        self._attempts.do("sampling the board", self.status.sample)
        self._attempts.do("mapping item state", self._map_items)

    def _look_at_updater(self) -> None:
        silent_s = self._clock.elapsed_s() - float(self._board.rows["beat_s"][0])
        stale = silent_s > self._wiring.settings.serving.stale_state_s
        self._state.notes = ("state_stale",) if stale else ()

    def _map_items(self) -> None:
        if self._items is not None and self._items.present():
            return
        try:
            found = self._wiring.items(create=False)
        except DependencyUnavailable:
            return
        if self._items is not None and not int(found.header["epoch"][0]):
            # A new file has nothing in it until the updater has come to where the log is.
            found.close()
            return
        self._items = found
        self._state.shared = self._items
        self._seen_epoch = -1
        if self._model is not None:
            self._popular = self._popular or self._opening.popular_rows(self._model, self._items)
            self._install(self._model)

    def _enter_pages(self) -> None:
        """Have the user store's pages at hand as it grows; faults are not for requests."""
        idle = self._entering is None or self._entering.done()
        if idle and self._clock.elapsed_s() >= self._pages_from_s:
            self._entering = asyncio.get_running_loop().create_task(self._entered())

    async def _entered(self) -> None:
        more = False
        try:
            more = await self._beside.run(self.users.touch, allowed_bytes(self._wiring))
        except Exception as error:
            log_mishap("entering pages of the user store", error)
        if not more:
            self._pages_from_s = self._clock.elapsed_s() + _PAGES_EVERY_S

    def _refresh_lists(self) -> None:
        if self._items is None:
            return
        view = view_of(self._items)
        if view.epoch == self._seen_epoch:
            return
        self._seen_epoch = view.epoch
        self._lists.refresh(view, self._clock.now_ms())
        if self._model is not None:
            self._model.vectors.extend(view.tables, self._model.tower)
            self._model.vectors.freshen(self._lists.fresh[:NEAR_AMONG])
            self._merge_annex(self._model)
        self._row.listed(view.count)

    def _merge_annex(self, model: "BundleModel") -> None:
        """Have newcomers put in order once they are many; the passes are not for the loop."""
        if model.vectors.annex.crowded and (self._merging is None or self._merging.done()):
            self._merging = asyncio.get_running_loop().create_task(self._merged(model))

    async def _merged(self, model: "BundleModel") -> None:
        annex = model.vectors.annex
        annex.take(await self._beside.run(annex.merged))

    async def _load_champion(self) -> None:
        """Load the champion in a thread and swap it in; refuse a bad one and keep the last."""
        digest = None
        try:
            digest = self._store.champion()
            waiting = self._clock.elapsed_s() < self._refused_until_s
            if digest in (None, self._state.bundle) or (digest == self._refused and waiting):
                return
            beside = asyncio.to_thread if self._state.pipeline is None else self._beside.run
            heads = await beside(self._opening.heads)
            again = requests_again(heads, self.users, self._clock.now_ms())
            model, self._popular = await beside(self._open, digest, again)
            before = [self._model]
            self._install(model)
            await beside(before.clear)
        except Exception as error:
            self._refuse(digest, error)

    def _refuse(self, digest: str | None, error: Exception) -> None:
        """Leave a bundle alone for a while and the last good one serving; say once why.

        Args:
            digest: None when nobody can tell which bundle it would be.
        """
        self._refused = digest
        self._refused_until_s = self._clock.elapsed_s() + _RETRY_REFUSED_S
        self._row.add("errors")
        code = error.code if isinstance(error, PlaybillError) else ""
        if self._model is None:
            self._state.why_no_pipeline = code if code in REASONS else "bundle_refused"
        if (digest, str(error)) in self._told:
            return
        self._told.add((digest, str(error)))
        name = digest or "the champion"
        if isinstance(error, PlaybillError) and not isinstance(error, BrokenContract):
            _log.error("%s is not loaded: %s (%s)", name, error.message, error.hint)
        else:
            log_mishap(f"loading {name}", error)

    def _open(
        self, digest: str, again: list[RankingRequest]
    ) -> "tuple[BundleModel, dict[int, Rows]]":
        replaces = self._state.pipeline is not None
        return self._opening.open(digest, self._items, again, replaces=replaces)

    def _install(self, model: "BundleModel") -> None:
        if self._items is None:
            self._model = model
            return
        self._model = model
        drilled = DrilledModel(model, self._drills, self._clock)
        self._state.pipeline = self._opening.pipeline(drilled, self._items)
        self._seen_epoch = -1
        self._state.bundle = model.digest
        self._state.popular_rows = self._popular
        self.status.bundle_created(model.manifest.created_at_ms)
