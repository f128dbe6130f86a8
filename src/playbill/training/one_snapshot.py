"""Rank a viewer's day as one list: what depends on the viewer alone is read once.

Counters move with every outcome, so within one viewer's day a click lowers no earlier score and
raises every later one: comparing scores of different instants punishes good rates (conditioned on
both classes being there, a viewer's own rate orders the day backwards). Serving never compares
them: a request reads one snapshot. Here the first row of the day lends its viewer-only columns to
all of them.
"""

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURES
from playbill.features.definitions import Fact, FactKind, Feature, Scope

Floats = npt.NDArray[np.float32]
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


def with_one_snapshot(dense: Floats, groups: Ints, at_ms: Ints) -> Floats:
    """Return (N, F) features in which each group has the viewer-only columns of its first row."""
    frozen = dense.copy()
    firsts = first_of_group(groups, at_ms)
    frozen[:, VIEWER_COLUMNS] = dense[firsts][:, VIEWER_COLUMNS]
    return frozen
