"""Rank a viewer's day as one list: what depends on the viewer alone is read once.

Counters move with every outcome, so within one viewer's day a click lowers no earlier score and
raises every later one: comparing scores of different instants punishes good rates (conditioned on
both classes being there, a viewer's own rate orders the day backwards). Serving never compares
them: a request reads one snapshot. Here the first row of the day lends its viewer-only columns and
its history to all of them.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURES
from playbill.features.definitions import Fact, FactKind, Feature, Scope
from playbill.training.dataset import Rows

Ints = npt.NDArray[np.int64]

_VIEWER_FACTS = frozenset(
    {
        FactKind.USER_TENURE,
        FactKind.USER_IDLE,
        FactKind.HOUR_SIN,
        FactKind.HOUR_COS,
        FactKind.RECENT_LONG,
    }
)


def _viewer_only(feature: Feature) -> bool:
    if isinstance(feature, Fact):
        return feature.fact in _VIEWER_FACTS
    return feature.scope is Scope.USER


VIEWER_COLUMNS: Ints = np.flatnonzero([_viewer_only(feature) for feature in FEATURES])
"""Columns that are the same for every candidate of a request."""


def first_of_group(groups: Ints, at_ms: Ints) -> Ints:
    """Return (N,) the place of the earliest row of each row's group."""
    order = np.lexsort((at_ms, groups))
    begins = np.concatenate([[True], groups[order][1:] != groups[order][:-1]])
    firsts = order[begins]
    found = np.empty(len(groups), np.int64)
    found[order] = firsts[np.cumsum(begins) - 1]
    return found


def with_one_snapshot(rows: Rows, groups: Ints) -> Rows:
    """Return N rows in which each group has viewer-only columns and history of its first row."""
    firsts = first_of_group(groups, rows.at_ms)
    dense = rows.dense.copy()
    dense[:, VIEWER_COLUMNS] = rows.dense[firsts][:, VIEWER_COLUMNS]
    return replace(rows, dense=dense, snapshots=rows.snapshots[firsts])
