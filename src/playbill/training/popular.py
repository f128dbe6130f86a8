"""Fallback lists of a bundle: what is liked best where, without knowing who asks."""

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS
from playbill.features import VISIBLE
from playbill.training.dataset import Rows

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

LIST_SIZE = 200
HALF_LIFE_MS = 3 * DAY_MS
"""A positive counts half after so long."""
STRENGTH = 20.0
"""Impressions without value that every video is taken to have had: few lucky ones do not win."""
EVERYWHERE = "0"


def popular_lists(
    rows: Rows,
    chosen: npt.NDArray[np.bool_],
    items: npt.NDArray[np.void],
    value: Floats,
    *,
    regions: int,
    now_ms: int,
) -> dict[str, list[int]]:
    """Return up to 200 video keys by region code, best first; "0" is everywhere.

    A video's score is its decayed utility over its decayed impressions plus a strength. Videos
    that are hidden, or closed to a region, are not in its list; a region's own list is filled up
    from everywhere's, and everywhere's with the newest videos.

    Args:
        rows: all rows.
        chosen: (N,) True for those that may be looked at.
        items: (I,) ``ITEM_RECORD``.
        value: (4,) utility of one action, by task.
        regions: how many are declared; codes run from 1.
        now_ms: instant to which sums decay.
    """
    decay = np.where(chosen, np.exp2((rows.at_ms - now_ms) / HALF_LIFE_MS), 0.0)
    worth = (rows.labels.astype(np.float64) @ value) * decay
    newest = np.lexsort((items["key"], -items["created_at_ms"]))
    everywhere = _open_to(items, None)
    lists = {EVERYWHERE: _best(rows.items, worth, decay, chosen, everywhere, newest)}
    for code in range(1, regions + 1):
        here = chosen & (rows.categories[:, 1] == code)
        allowed = _open_to(items, code)
        after = [item for item in lists[EVERYWHERE] if allowed[item]] + newest.tolist()
        lists[str(code)] = _best(rows.items, worth, decay, here, allowed, np.array(after, np.int64))
    return {code: [int(items["key"][item]) for item in found] for code, found in lists.items()}


def _best(
    shown: npt.NDArray[np.int64],
    worth: Doubles,
    decay: Doubles,
    chosen: npt.NDArray[np.bool_],
    allowed: npt.NDArray[np.bool_],
    after: npt.NDArray[np.int64],
) -> list[int]:
    """Return item rows, those with a score above zero first, then those of ``after``."""
    size = len(allowed)
    value = np.bincount(shown[chosen], weights=worth[chosen], minlength=size)
    weight = np.bincount(shown[chosen], weights=decay[chosen], minlength=size)
    score = value / (weight + STRENGTH)
    ranked = np.flatnonzero(allowed & (score > 0.0))
    ranked = ranked[np.lexsort((ranked, -score[ranked]))]
    filled = np.concatenate([ranked, after[allowed[after]]])
    return list(dict.fromkeys(filled.tolist()))[:LIST_SIZE]


def _open_to(items: npt.NDArray[np.void], code: int | None) -> npt.NDArray[np.bool_]:
    """Return (I,) True for visible videos that a region, or every region, may see."""
    bits = items["regions"]
    opened = bits == 0
    if code is not None:
        opened |= (bits >> np.uint32(code - 1) & 1) == 1
    found: npt.NDArray[np.bool_] = opened & ((items["flags"] & VISIBLE) != 0)
    return found
