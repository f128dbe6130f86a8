"""Long views among videos of about the same length: length alone makes no view a long one.

Source: docs/decisions/0046-a-long-view-may-be-long-for-its-length.md
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.training.labels import Labels
from playbill.training.report import LongViews
from playbill.training.schema import LABELS
from playbill.training.staging import staged_batches

Ints = npt.NDArray[np.int64]

GROUPS = 30
FEWEST = 100
"""Watches of a group; with fewer in all there are fewer groups."""
_BIT = np.uint8(1 << LABELS.index("long_view"))


def long_for_their_length(
    labels: Labels, folder: Path, durations_ms: npt.NDArray[np.uint32], longest: float
) -> tuple[Labels, LongViews]:
    """Return labels whose long views are the longest watches of videos about as long.

    Args:
        labels: of all staged rows.
        folder: a finished ``Stage``.
        durations_ms: (I,) of all videos.
        longest: share of the watches that are long views.
    """
    items = np.concatenate(
        [batch.column("item").to_numpy() for batch in staged_batches(folder, "rows")]
    )
    rule = rule_of(labels.watch_ms[labels.watched], durations_ms[items[labels.watched]], longest)
    long = labels.watched & (labels.watch_ms >= needed_ms(rule, durations_ms[items]))
    bits = np.where(long, labels.bits | _BIT, labels.bits & ~_BIT)
    return replace(labels, bits=bits), rule


def rule_of(
    watch_ms: npt.NDArray[np.int32], durations_ms: npt.NDArray[np.uint32], longest: float
) -> LongViews:
    """Return how long a view must be by the length of the video, from (W,) watches.

    Videos are put into groups of about as many watches each, a hundred at least. Where many watches
    are equally long, as those of whole short videos are, the bound that leaves the share closer to
    ``longest`` stands, as long as it leaves any.

    Args:
        watch_ms: (W,).
        durations_ms: (W,) of the videos watched.
        longest: share of the watches of a group that are long views.

    Source: Zhan et al., Deconfounding Duration Bias in Watch-time Prediction for Video
    Recommendation, KDD 2022.
    """
    count = int(np.clip(len(watch_ms) // FEWEST, 1, GROUPS))
    inner = np.linspace(0.0, 1.0, count + 1)[1:-1]
    ends = np.unique(np.quantile(durations_ms, inner, method="lower")) if len(inner) else inner
    ends = _apart(ends, np.sort(durations_ms))
    group = np.searchsorted(ends, durations_ms)
    needed = [_bound(watch_ms[group == number], longest) for number in range(len(ends) + 1)]
    return LongViews(longest=longest, up_to_ms=[int(end) for end in ends], needed_ms=needed)


def _apart(ends: npt.NDArray[Any], ordered_ms: npt.NDArray[np.uint32]) -> npt.NDArray[Any]:
    """Return those ends of groups that leave enough watches in each of them."""
    upto = np.searchsorted(ordered_ms, ends, side="right")
    kept, before = list[int](), 0
    for place, count in enumerate(upto.tolist()):
        if count - before >= FEWEST and len(ordered_ms) - count >= FEWEST:
            kept.append(place)
            before = count
    return ends[kept]


def needed_ms(rule: LongViews, durations_ms: npt.NDArray[np.uint32]) -> Ints:
    """Return (N,) how long a view of each of (N,) videos must be."""
    return np.array(rule.needed_ms, np.int64)[np.searchsorted(rule.up_to_ms, durations_ms)]


def _bound(watch_ms: npt.NDArray[np.int32], longest: float) -> int:
    """Return the least length of a long view in a group, 1 at least."""
    if not len(watch_ms):
        return 1
    at = int(np.quantile(watch_ms, 1.0 - longest, method="higher"))
    lower, upper = max(at, 1), max(at, 1) + 1
    shares = [float((watch_ms >= bound).mean()) for bound in (lower, upper)]
    closer = shares[1] > 0.0 and abs(shares[1] - longest) < abs(shares[0] - longest)
    return upper if closer else lower
