"""Filters: who must not be shown what."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from playbill.features import VISIBLE
from playbill.features.layout import AGE_UNKNOWN, DISLIKED
from playbill.ranking.select_kernel import seen_mask
from playbill.ranking.stages import Candidates, Filter, Mask, RankingRequest
from playbill.retrieval import ItemView


@dataclass(frozen=True, slots=True)
class VisibleFilter:
    """Drop videos that were taken down."""

    name: ClassVar[str] = "visible"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where a video is hidden."""
        hidden: Mask = (view.tables.items["flags"][candidates.rows] & VISIBLE) == 0
        return hidden


@dataclass(frozen=True, slots=True)
class RegionFilter:
    """Drop videos that may not be shown where the viewer is."""

    name: ClassVar[str] = "region"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where the regions are named and this one is not among them."""
        regions = view.tables.items["regions"][candidates.rows]
        bit = np.uint32(1 << (request.query.region - 1)) if request.query.region else np.uint32(0)
        barred: Mask = (regions != 0) & ((regions & bit) == 0)
        return barred


@dataclass(frozen=True, slots=True)
class AgeRatingFilter:
    """Drop videos rated above the viewer's age; an unknown age counts as adult."""

    name: ClassVar[str] = "age_rating"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where the rating is above the viewer's age."""
        age = int(request.query.user["age"][0])
        if age == AGE_UNKNOWN:
            return np.zeros(len(candidates.rows), np.bool_)
        barred: Mask = view.tables.items["age_rating"][candidates.rows] > age
        return barred


@dataclass(frozen=True, slots=True)
class ExcludeFilter:
    """Drop videos that the caller named, and those of the pages before."""

    name: ClassVar[str] = "exclude"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where a video is excluded."""
        if not len(request.excluded):
            return np.zeros(len(candidates.rows), np.bool_)
        return np.isin(candidates.rows, request.excluded)


@dataclass(frozen=True, slots=True)
class SeenFilter:
    """Drop videos that the viewer's last few hundred places held already."""

    name: ClassVar[str] = "seen"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where the filter remembers a video."""
        mask = np.empty(len(candidates.rows), np.bool_)
        seen_mask(request.query.user[0], candidates.rows, mask)
        return mask


@dataclass(frozen=True, slots=True)
class DislikedFilter:
    """Drop videos that the viewer hid or reported, and other videos of their authors."""

    name: ClassVar[str] = "disliked"

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where a video's author made one that was hidden or reported."""
        user = request.query.user[0]
        actions = user["history_action"][: user["history_count"]]
        hidden = user["history"][: user["history_count"]][(actions & DISLIKED) != 0]
        hidden = hidden[hidden < view.count]
        if not len(hidden):
            return np.zeros(len(candidates.rows), np.bool_)
        authors = view.tables.items["author"]
        return np.isin(authors[candidates.rows], authors[hidden])


VISIBILITY: tuple[Filter, ...] = (VisibleFilter(), RegionFilter(), AgeRatingFilter())
"""What no tier may break; also asked last, about the finished slate."""

PERSONAL: tuple[Filter, ...] = (ExcludeFilter(), SeenFilter(), DislikedFilter())
"""What makes a feed pleasant; dropped when too little is left."""
