"""Everything that is done to a bundle before it serves, so that no feed is the first to do it."""

import time
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playbill.app.lists_watch import rows_of
from playbill.app.resting import Rests
from playbill.app.wiring import Wiring
from playbill.contracts import REQUEST_RECORD
from playbill.core import InvalidInput, PlaybillError
from playbill.events import newest_feeds
from playbill.features import Rest
from playbill.features.adapters.shared_items import SharedItems
from playbill.ranking import Hydrator, Pipeline, RankingModel, RankingRequest
from playbill.registry import BundleStore
from playbill.retrieval import NEAR_AMONG, DerivedLists, view_of
from playbill.serving import log_mishap
from playbill.serving.rehearsal import REHEARSED, rehearse

if TYPE_CHECKING:
    from playbill.serving.bundle_model import BundleModel

Rows = npt.NDArray[np.int64]
_RESTS = 6.0
"""Each part of the work is followed by a rest so many times as long, within the bound of a rest:
feeds may need most of the core."""


@dataclass(slots=True)
class Opening:
    """Opens bundles in a thread, beside requests that another one answers."""

    wiring: Wiring
    lists: DerivedLists
    place: int
    store: BundleStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.wiring.bundles()

    def heads(self) -> npt.NDArray[np.void]:
        """Return (R,) ``REQUEST_RECORD`` of what was served lately; none where that is unknown."""
        try:
            log = self.wiring.log()
            try:
                return newest_feeds(log, REHEARSED, f"serve-{self.place}")
            finally:
                log.close()
        except PlaybillError as error:
            log_mishap("looking for feeds to rehearse", error)
            return np.empty(0, REQUEST_RECORD)

    def open(
        self,
        digest: str,
        items: SharedItems | None,
        requests: list[RankingRequest],
        *,
        replaces: bool,
    ) -> "tuple[BundleModel, dict[int, Rows]]":
        """Return a bundle that is ready to serve, and the rows of its lists by region.

        Where another one serves, it rests between its parts. Source:
        docs/decisions/0050-what-waits-for-an-epoch-or-a-bundle-waits-briefly.md

        Args:
            digest: of the bundle.
            items: item state, None while it cannot be mapped.
            requests: what to rehearse it with.
            replaces: whether another one serves that can go on.

        Raises:
            InvalidInput: it is not whole, not of this home or version; or it replaces one that
                serves and could not make a single feed. What breaks a rehearsal is raised, too,
                where another bundle serves, and logged where none does.
        """
        from playbill.serving.bundle_model import BundleModel

        rest: Rest = Rests(_RESTS, time.thread_time).rest if replaces else lambda: None
        manifest = self.store.verify(digest)
        rest()
        model = BundleModel.load(self.store.path(digest), digest, manifest, rest)
        if items is None:
            return model, {}
        model.touch(rest)
        model.vectors.extend(view_of(items).tables, model.tower)
        rest()
        model.vectors.freshen(self.lists.fresh[:NEAR_AMONG])
        if model.vectors.annex.crowded:
            model.vectors.annex.merge()
        if not replaces:
            items.touch()
        popular = self.popular_rows(model, items)
        rest()
        self._rehearse(model, items, requests, rest, replaces=replaces)
        return model, popular

    def popular_rows(self, model: "BundleModel", items: SharedItems) -> dict[int, Rows]:
        """Return the rows of the bundle's lists, best first; a pass for a thread."""
        records = view_of(items).tables.items
        return rows_of(lambda keys: model.vectors.rows_of(keys, records), model.popular)

    def pipeline(
        self, model: RankingModel, items: SharedItems, lists: DerivedLists | None = None
    ) -> Pipeline:
        """Return the stages of a feed around a model.

        Args:
            model: of the bundle.
            items: item state.
            lists: None for those that the loop keeps current.
        """
        wiring = self.wiring
        return Pipeline(
            model,
            lists or self.lists,
            Hydrator(items, wiring.clock),
            wiring.settings.serving,
            wiring.clock,
            wiring.settings.surfaces,
        )

    def _rehearse(
        self,
        model: "BundleModel",
        items: SharedItems,
        requests: list[RankingRequest],
        rest: Rest,
        *,
        replaces: bool,
    ) -> None:
        # As they are now: the loop changes its own, and the view must not be older than they are.
        pipeline = self.pipeline(model, items, copy(self.lists))
        try:
            rehearsed = rehearse(pipeline, requests, view_of(items), self.wiring.clock, rest)
        except Exception as error:
            if replaces:
                raise
            log_mishap(f"rehearsing {model.digest}", error)
            return
        if replaces and rehearsed.trouble is not None and not rehearsed.made:
            raise InvalidInput(
                f"bundle {self.store.path(model.digest).name} is not served: it made none of "
                f"{len(requests)} feeds of late: {rehearsed.trouble.message}",
                code="bundle_refused",
                hint="train again; the last good one keeps serving",
            )
