"""What the definitions compile to: record layouts, absorb tables and the read program."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.features.definitions import FEATURES, Fact, Feature, Rate, Scope, Slot
from playbill.features.words import WORDS_PER_ITEM

TOPICS_PER_ITEM = 4
USER_TOPICS = 16
USER_AUTHORS = 12
HISTORY = 32
RECENT = 16
FOLLOWS = 16
SEEN_WORDS = 16
SEEN_PER_GENERATION = 100
NO_ROW = 0xFFFFFFFF
NO_TOPIC = 0xFFFF
AGE_UNKNOWN = 255
VISIBLE = 1
_SMALLEST_ROOM = 1 << 12

LANDMARK_STEP_MS = 3_600_000
"""Sums are kept against a landmark of their row, moved when it is an hour old; decision 0005."""


def room_for(rows: int) -> int:
    """Return how many rows a table that holds so many has memory for; it doubles when it grows."""
    return max(_SMALLEST_ROOM, 1 << max(rows - 1, 0).bit_length())


def _slots(features: tuple[Feature, ...]) -> dict[Scope, tuple[Slot, ...]]:
    wanted = sorted({slot for feature in features for slot in feature.slots()})
    return {scope: tuple(slot for slot in wanted if slot.scope is scope) for scope in Scope}


SLOTS: dict[Scope, tuple[Slot, ...]] = _slots(FEATURES)
"""What each scope remembers, in the order of its slots."""

_HALF_LIVES: tuple[int, ...] = tuple(
    sorted({slot.half_life_s for slots in SLOTS.values() for slot in slots})
)
HALF_LIVES_MS: npt.NDArray[np.float64] = np.array(_HALF_LIVES, np.float64) * 1000.0
"""(H,) every half-life that occurs, in milliseconds."""


@dataclass(frozen=True, slots=True)
class ScopeTables:
    """How a scope absorbs: slot k adds ``signal[k]`` and has half-life ``decay[k]``."""

    signal: npt.NDArray[np.int64]
    decay: npt.NDArray[np.int64]


def scope_tables(scope: Scope) -> ScopeTables:
    """Return (S,) signal codes and (S,) half-life indices of a scope's slots."""
    slots = SLOTS[scope]
    return ScopeTables(
        np.array([int(slot.signal) for slot in slots], np.int64),
        np.array([_HALF_LIVES.index(slot.half_life_s) for slot in slots], np.int64),
    )


USER_TABLES: tuple[npt.NDArray[np.int64], ...] = tuple(
    table
    for scope in (Scope.USER, Scope.USER_TOPIC, Scope.USER_AUTHOR)
    for table in (scope_tables(scope).signal, scope_tables(scope).decay)
)
"""Slot signals and half-lives of a viewer's row: user, user-topic and user-author, in turn."""


def _width(scope: Scope) -> int:
    return len(SLOTS[scope])


ITEM_RECORD = np.dtype(
    {
        "names": [
            "key", "created_at_ms", "landmark_ms", "author", "duration_ms", "topics",
            "regions", "language", "flags", "age_rating", "slots", "words",
        ],
        "formats": [
            "<u8", "<i8", "<i8", "<u4", "<u4", ("<u2", (TOPICS_PER_ITEM,)),
            "<u4", "<u2", "u1", "u1", ("<f4", (_width(Scope.ITEM),)), ("<u2", (WORDS_PER_ITEM,)),
        ],
        "offsets": [0, 8, 16, 24, 28, 32, 40, 44, 46, 47, 48, 100],
        "itemsize": 128,
    }
)  # fmt: skip
"""One video, two cache lines. ``regions``: bit r-1 for region code r, 0 means everywhere;
``words``: codes of its title's."""

NAME_BYTES = 40
VIDEO_NAME = np.dtype(f"S{NAME_BYTES}")
"""A video's id in UTF-8; nothing where it is longer."""

_GROUP_SLOTS = max(_width(Scope.AUTHOR), _width(Scope.TOPIC))

GROUP_RECORD = np.dtype(
    {
        "names": ["key", "landmark_ms", "items", "slots"],
        "formats": ["<u8", "<i8", "<u4", ("<f4", (_GROUP_SLOTS,))],
        "offsets": [0, 8, 16, 20],
        "itemsize": 64,
    }
)
"""One author or one topic, one cache line."""

USER_RECORD = np.dtype(
    [
        ("landmark_ms", "<i8"),
        ("first_at_ms", "<i8"),
        ("last_at_ms", "<i8"),
        ("language", "<u2"),
        ("seen_count", "<u2"),
        ("region", "u1"),
        ("age", "u1"),
        ("history_count", "u1"),
        ("follow_count", "u1"),
        ("slots", "<f4", (_width(Scope.USER),)),
        ("topics", "<u2", (USER_TOPICS,)),
        ("topic_slots", "<f4", (USER_TOPICS, _width(Scope.USER_TOPIC))),
        ("authors", "<u4", (USER_AUTHORS,)),
        ("author_slots", "<f4", (USER_AUTHORS, _width(Scope.USER_AUTHOR))),
        ("history", "<u4", (HISTORY,)),
        ("history_at_s", "<u4", (HISTORY,)),
        ("history_action", "u1", (HISTORY,)),
        ("follows", "<u4", (FOLLOWS,)),
        ("seen", "<u8", (2, SEEN_WORDS)),
    ]
)
"""One viewer. ``history`` is newest first; ``seen`` is two generations of a Bloom filter."""

CLICKED, WATCHED, LONG, LIKED, ENGAGED, DISLIKED = 1, 2, 4, 8, 16, 32
"""Bits of ``history_action``."""
TOOK_TO = CLICKED | LONG | LIKED
"""Any of them says that the viewer took to a video, unless it was disliked."""


class Detail(enum.IntEnum):
    """What a viewer's row takes from an event beside its signals: columns of whole numbers."""

    SEEN = 0
    """1 when the video was seen."""
    ACTION = 1
    """Bits of ``history_action``, 0 for none."""
    FOLLOWED = 2
    """Row of the author followed, -1 for none."""
    REGION = 3
    """Code of the region the event came from, 0 for none."""


def empty_user() -> npt.NDArray[np.void]:
    """Return the (1,) row of a viewer nobody has met."""
    row = np.zeros(1, USER_RECORD)
    row["age"] = AGE_UNKNOWN
    row["topics"] = NO_TOPIC
    row["authors"] = NO_ROW
    row["history"] = NO_ROW
    row["follows"] = NO_ROW
    return row


@dataclass(frozen=True, slots=True)
class Program:
    """How F features are read: one operation each over a candidate's decayed slots and facts.

    ``code`` (F,): of ``Rate``, ``Volume`` or ``Fact``. ``a``, ``b`` (F,): slot or fact indices
    over all scopes laid end to end. ``prior``, ``strength`` (F,). ``base`` (6,): where a scope's
    slots begin. ``decay`` (S,): which of ``HALF_LIVES_MS`` each of all scopes' slots has.
    """

    code: npt.NDArray[np.int64]
    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    prior: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    base: npt.NDArray[np.int64]
    decay: npt.NDArray[np.int64]


def compile_program(features: tuple[Feature, ...] = FEATURES) -> Program:
    """Return the read program of a list of features whose slots all exist in ``SLOTS``."""
    order = [slot for scope in Scope for slot in SLOTS[scope]]
    base = np.cumsum([0, *(_width(scope) for scope in Scope)])[:-1].astype(np.int64)
    code, a, b, prior, strength = [], [], [], [], []
    for feature in features:
        code.append(feature.code)
        if isinstance(feature, Fact):
            indices = [int(feature.fact), 0]
        else:
            indices = [*(order.index(slot) for slot in feature.slots()), 0]
        a.append(indices[0])
        b.append(indices[1])
        prior.append(feature.prior if isinstance(feature, Rate) else 0.0)
        strength.append(feature.strength if isinstance(feature, Rate) else 0.0)
    return Program(
        np.array(code, np.int64),
        np.array(a, np.int64),
        np.array(b, np.int64),
        np.array(prior, np.float64),
        np.array(strength, np.float64),
        base,
        np.array([_HALF_LIVES.index(slot.half_life_s) for slot in order], np.int64),
    )
