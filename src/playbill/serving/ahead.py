"""The lists made ahead, as requests use them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from playbill.ranking import RankingRequest
from playbill.retrieval import ItemView
from playbill.serving.fallbacks import Fallback, slate_again
from playbill.serving.lists_ahead import ListsAhead
from playbill.serving.texts import Texts

Rows = npt.NDArray[np.int64]
_NOTHING: Rows = np.empty(0, np.int64)


@dataclass(slots=True)
class Ahead:
    """What is mapped now, swapped whole between requests.

    ``lists`` is None without a file. ``rows_by_place`` are the regions' lists as rows, best first,
    by region and surface code.
    """

    lists: ListsAhead | None = None
    rows_by_place: dict[tuple[int, int], Rows] = field(default_factory=dict)

    def cached(
        self, user: bytes, request: RankingRequest, view: ItemView, texts: Texts
    ) -> Fallback | None:
        """Return a viewer's list, less what may no longer be shown; None when nothing is left."""
        found = None if self.lists is None else self.lists.find(user)
        if found is None:
            return None
        rows, sources = texts.rows_of(found[0].tolist()), found[1]
        known = rows >= 0
        return slate_again(request, view, rows[known], sources[known])

    def popular(self, region: int, surface: int) -> Rows:
        """Return the rows of a region's list on a surface, none without one."""
        return self.rows_by_place.get((region, surface), _NOTHING)

    def stale(self, now_ms: int, stale_s: int) -> bool:
        """Return whether there are lists and they are older than ``stale_s``."""
        return self.lists is not None and now_ms - self.lists.head.created_at_ms > stale_s * 1000
