"""What lists are like beside being right: how much of the catalogue, how known, by how few."""

from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

TOP_SHARE = 0.01
"""Videos, or authors, whose share of the places is told: the most shown hundredth."""


def figures_of_lists(shown: Ints, among: Mask, takes: Ints, items: Records) -> dict[str, Any]:
    """Return coverage, novelty, concentration and age of what lists show.

    Keys: coverage, the share of ranked videos that some list shows; novelty, the mean bits of
    surprise of a place, -log2 of its video's share of all takes; top_videos and top_authors, the
    share of places of the hundredth that is shown most; age_days, the mean age of a place, counted
    from the newest video.

    Args:
        shown: (I,) how many lists show each video.
        among: (I,) videos that are ranked.
        takes: (I,) how often each was taken before.
        items: (I,) ``ITEM_RECORD``.

    Source: Vargas and Castells: Rank and relevance in novelty and diversity metrics, RecSys 2011.
    """
    places = max(int(shown.sum()), 1)
    share = (takes + 1.0) / float((takes + 1.0)[among].sum() or 1.0)
    surprise = float((shown * -np.log2(np.minimum(share, 1.0))).sum()) / places
    authors = np.bincount(items["author"].astype(np.int64), weights=shown)
    made = np.bincount(items["author"].astype(np.int64), weights=among) > 0
    ages = (int(items["created_at_ms"].max(initial=0)) - items["created_at_ms"]) / DAY_MS
    return {
        "coverage": round(float((shown > 0).sum()) / max(int(among.sum()), 1), 4),
        "novelty": round(surprise, 3),
        "top_videos": round(_top(shown[among].astype(np.float64)) / places, 4),
        "top_authors": round(_top(authors[made].astype(np.float64)) / places, 4),
        "age_days": round(float((shown * ages).sum()) / places, 2),
    }


def _top(counts: npt.NDArray[np.float64]) -> float:
    """Return the sum of the largest hundredth of some counts, of one at least."""
    size = max(1, round(TOP_SHARE * len(counts)))
    return float(np.sort(counts)[-size:].sum()) if len(counts) else 0.0
