"""Who is most active, as viewers' rows tell."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from playbill.features import USER_RECORD
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import SLOTS

_BATCH = 4_096
_SHOWN, _HALF_LIFE_MS = next(
    (place, slot.half_life_s * 1000.0)
    for place, slot in reversed(list(enumerate(SLOTS[Scope.USER])))
    if slot.signal is Signal.IMPRESSION
)


def most_active(rows: Iterable[tuple[bytes, bytes]], count: int, now_ms: int) -> list[bytes]:
    """Return the viewers who were shown most lately, most active first.

    Activity is impressions, decayed with the longest half-life that keeps them; of equal viewers
    the one with the greater pseudonym comes first. Memory goes with ``count``, not with the rows.

    Args:
        rows: pseudonyms and ``USER_RECORD`` rows.
        count: how many viewers at most.
        now_ms: instant to which impressions decay.
    """
    best = heapq.nlargest(count, _scored(iter(rows), now_ms))
    return [user for _, user in best]


def _scored(rows: Iterator[tuple[bytes, bytes]], now_ms: int) -> Iterator[tuple[float, bytes]]:
    while batch := list(islice(rows, _BATCH)):
        records = np.frombuffer(b"".join(row for _, row in batch), USER_RECORD)
        age = np.maximum(now_ms - records["landmark_ms"], 0) / _HALF_LIFE_MS
        shown = records["slots"][:, _SHOWN] * np.exp2(-age)
        yield from zip(shown.tolist(), (user for user, _ in batch), strict=True)
