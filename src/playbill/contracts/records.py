"""Facts as the log keeps them: fixed-layout records, so that a fold never meets an object.

All integers are little-endian. A key of 0 means "none" (``core.KEY_ABSENT``); no name hashes to
it. Layouts only ever grow at the end of a batch's schema version; see decision 0002.
"""

import enum

import numpy as np


class BatchKind(enum.IntEnum):
    """What one stored batch holds."""

    EVENTS = 1
    IMPRESSIONS = 2
    VIDEOS = 3
    TAKEDOWNS = 4
    USERS = 5
    TRACES = 6
    EPOCH = 7
    DEAD = 8
    DEAD_REPAIRED = 9


EVENT_RECORD = np.dtype(
    [
        ("event", "<u8", (2,)),
        ("user", "<u8", (2,)),
        ("video", "<u8"),
        ("author", "<u8"),
        ("request", "<u8"),
        ("session", "<u8"),
        ("at_ms", "<i8"),
        ("received_at_ms", "<i8"),
        ("watch_ms", "<i4"),
        ("position", "<i2"),
        ("kind", "u1"),
        ("surface", "u1"),
        ("region", "u1"),
        ("long_view", "u1"),
        ("spare", "u1", (6,)),
    ]
)
"""One admitted event, 96 bytes. ``long_view``: 0 unsaid, 1 no, 2 yes. ``position``: -1 unsaid."""

REQUEST_RECORD = np.dtype(
    [
        ("request", "<u8"),
        ("user", "<u8", (2,)),
        ("session", "<u8"),
        ("at_ms", "<i8"),
        ("item_epoch", "<i8"),
        ("user_epoch", "<i8"),
        ("bundle", "<u8"),
        ("settings", "<u8"),
        ("count", "<u2"),
        ("tier", "u1"),
        ("surface", "u1"),
        ("region", "u1"),
        ("settled", "u1"),
        ("personalised", "u1"),
        ("spare", "u1"),
    ]
)
"""The head of one impression record, 80 bytes: one served feed.

``settled`` is 1 when the item state was read between two epochs, so that the features can be
recomputed from the log; ``bundle`` and ``settings`` are the first 64 bits of their digests.
"""

SHOWN_RECORD = np.dtype(
    [
        ("video", "<u8"),
        ("score", "<f4"),
        ("propensity", "<f4"),
        ("source", "u1"),
        ("spare", "u1", (7,)),
    ]
)
"""One place of a served feed, 24 bytes, in the order of positions."""
