"""What a platform tells about a viewer, written into the row."""

import numpy as np
import numpy.typing as npt

from playbill.contracts import StoredUser
from playbill.core import key64
from playbill.features.arithmetic_kernel import pow2
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import HALF_LIVES_MS, NO_ROW, NO_TOPIC, SLOTS, USER_TABLES
from playbill.features.state import FeatureState, language_code
from playbill.features.user_kernel import follow, place_of, settle

INTEREST_SHOWN = 4.0
INTEREST_TAKEN = 3.0
"""A topic chosen at sign-up counts as this many videos shown, and this many of them taken."""


def apply_facts(
    state: FeatureState,
    row: npt.NDArray[np.void],
    fact: StoredUser,
    regions: dict[str, int],
    now_ms: int,
) -> None:
    """Change a (1,) row by what the platform says; what it leaves out stays.

    Args:
        regions: codes of the declared regions, from 1.
        now_ms: the epoch's instant; nothing counts as later.
    """
    user = row[0]
    at_ms = min(fact.at_ms, now_ms)
    if user["first_at_ms"] == 0:
        user["first_at_ms"] = user["last_at_ms"] = at_ms
    settle(user, at_ms, USER_TABLES, HALF_LIVES_MS)
    if fact.region is not None:
        user["region"] = regions.get(fact.region, 0)
    if fact.language is not None:
        user["language"] = language_code(fact.language)
    if fact.age is not None:
        user["age"] = fact.age
    if fact.follows is not None:
        user["follows"] = NO_ROW
        user["follow_count"] = 0
        for author in fact.follows:
            known = state.authors.row(key64(author))
            if known >= 0:
                follow(user, np.uint32(known))
    for name in fact.interests or ():
        topic = state.topic(name)
        if topic != NO_TOPIC:
            _interest(user, topic, at_ms)


def _interest(user: np.void, topic: int, at_ms: int) -> None:
    ahead = float(at_ms - user["landmark_ms"])
    sums = user["topic_slots"]
    place = place_of(user["topics"], sums, topic, NO_TOPIC)
    for s, slot in enumerate(SLOTS[Scope.USER_TOPIC]):
        shown = slot.signal is Signal.IMPRESSION
        taken = slot.signal in (Signal.CLICK, Signal.LONG_VIEW)
        now = INTEREST_SHOWN if shown else INTEREST_TAKEN if taken else 0.0
        sums[place, s] = now * pow2(ahead / (slot.half_life_s * 1000.0))
