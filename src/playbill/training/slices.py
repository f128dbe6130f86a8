"""Who is served worse than the whole: figures by surface, region, tenure and age of the video."""

from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training.dataset import Rows
from playbill.training.figures import rounded
from playbill.training.metrics import auc, calibration

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

FEWEST_ROWS = 200
"""Smaller slices are left out: their figures say nothing."""
NEW_VIEWER = 10.0
"""Impressions of the last fortnight below which a viewer counts as new."""
_AGES = ("newest third", "middle third", "oldest third")


def measure_slices(
    rows: Rows, p: Floats, surfaces: tuple[str, ...] = (), regions: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return by dimension and value: rows, and by task positives, AUC and calibration.

    Args:
        rows: N of them.
        p: (N, 4) as served.
        surfaces: names by code, from 1 on; codes beyond are told as numbers.
        regions: likewise.
    """
    seen = np.expm1(rows.dense[:, FEATURE_NAMES.index("user_impressions_14d")])
    slices = {
        "surface": (rows.categories[:, 0], ("none", *surfaces)),
        "region": (rows.categories[:, 1], ("none", *regions)),
        "viewer": ((seen >= NEW_VIEWER).astype(np.int64), ("new", "known")),
        "video_age": (_thirds(rows.dense[:, FEATURE_NAMES.index("item_age")]), _AGES),
    }
    return {name: _by_value(rows, p, *found) for name, found in slices.items()}


def _thirds(values: Floats) -> Ints:
    """Return (N,) 0, 1 or 2: the third of the rows that a value falls in."""
    edges = np.quantile(values, [1 / 3, 2 / 3]) if len(values) else np.zeros(2)
    return np.searchsorted(edges, values).astype(np.int64)


def _by_value(rows: Rows, p: Floats, codes: Ints, names: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
        if count >= FEWEST_ROWS:
            mine = codes == code
            name = names[code] if code < len(names) else str(code)
            found[name] = {"rows": int(count), **_by_task(rows.only(mine), p[mine])}
    return found


def _by_task(rows: Rows, p: Floats) -> dict[str, Any]:
    found = {}
    for k, task in enumerate(TASKS):
        known = rows.known[:, k]
        labels, foretold = rows.labels[known, k], p[known, k]
        found[task] = {
            "positives": int(labels.sum()),
            "auc": rounded(auc(labels, foretold)),
            "calibration": rounded(calibration(labels, foretold)),
        }
    return found
