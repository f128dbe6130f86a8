"""The tables of a data set: names, columns and types. Delta has no unsigned numbers.

Keys are 64 bits; where Delta wants a signed number they keep their bits (``as_signed``).
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from playbill.features import FEATURE_NAMES
from playbill.features.layout import HISTORY
from playbill.models import TASKS

ROWS_TABLE = "training_rows"
HISTORIES_TABLE = "training_histories"
ITEMS_TABLE = "training_items"
REPORT_FILE = "training_report.json"

LABELS = TASKS
"""One label a task of the ranker, in the order of its outputs."""

ROW_META = np.dtype(
    [
        ("row_id", "<i8"),
        ("request", "<u8"),
        ("user", "<u8", (2,)),
        ("video", "<u8"),
        ("item", "<u4"),
        ("author", "<u4"),
        ("at_ms", "<i8"),
        ("read_at_ms", "<i8"),
        ("position", "<i2"),
        ("surface", "u1"),
        ("region", "u1"),
        ("topic", "<i4"),
        ("source", "u1"),
        ("propensity", "<f4"),
        ("tier", "u1"),
        ("bundle", "<u8"),
        ("item_epoch", "<i8"),
        ("snapshot", "<i8"),
        ("served", "u1"),
        ("settled", "u1"),
    ]
)
"""One row before its labels: what is gathered. ``topic`` is the first one's number + 1, or 0."""

OUTCOME = np.dtype(
    [
        ("request", "<u8"),
        ("user", "<u8", (2,)),
        ("video", "<u8"),
        ("at_ms", "<i8"),
        ("watch_ms", "<i4"),
        ("labels", "u1"),
        ("watched", "u1"),
    ]
)
"""One outcome event. ``labels`` has bit k set when it is a positive of ``LABELS[k]``."""

SNAPSHOT = np.dtype(
    [
        ("snapshot", "<i8"),
        ("count", "u1"),
        ("items", "<u4", (HISTORY,)),
        ("actions", "u1", (HISTORY,)),
    ]
)
"""A viewer's recent videos at one instant, newest first."""

_META_FIELDS = [
    pa.field("row_id", pa.int64(), nullable=False),
    pa.field("request", pa.int64()),
    pa.field("user", pa.binary(), nullable=False),
    pa.field("video", pa.int64(), nullable=False),
    pa.field("item", pa.int64(), nullable=False),
    pa.field("author", pa.int64(), nullable=False),
    pa.field("at_ms", pa.int64(), nullable=False),
    pa.field("read_at_ms", pa.int64(), nullable=False),
    pa.field("day", pa.int32(), nullable=False),
    pa.field("position", pa.int16()),
    pa.field("surface", pa.int16(), nullable=False),
    pa.field("region", pa.int16(), nullable=False),
    pa.field("topic", pa.int32(), nullable=False),
    pa.field("source", pa.int16()),
    pa.field("propensity", pa.float32()),
    pa.field("tier", pa.int16()),
    pa.field("bundle", pa.int64()),
    pa.field("item_epoch", pa.int64(), nullable=False),
    pa.field("snapshot", pa.int64(), nullable=False),
    pa.field("settled", pa.bool_(), nullable=False),
]
_LABEL_FIELDS = [
    *[pa.field(name, pa.bool_(), nullable=False) for name in LABELS],
    pa.field("viewed_long", pa.bool_(), nullable=False),
    pa.field("watch_ms", pa.int32()),
    pa.field("label_delay_ms", pa.int64()),
]

STAGED_SCHEMA = pa.schema(
    [*_META_FIELDS, *[pa.field(name, pa.float32(), nullable=False) for name in FEATURE_NAMES]]
)
ROWS_SCHEMA = pa.schema([*STAGED_SCHEMA, *_LABEL_FIELDS])

HISTORIES_SCHEMA = pa.schema(
    [
        pa.field("snapshot", pa.int64(), nullable=False),
        pa.field("items", pa.list_(pa.int64()), nullable=False),
        pa.field("actions", pa.list_(pa.int16()), nullable=False),
    ]
)

ITEMS_SCHEMA = pa.schema(
    [
        pa.field("item", pa.int64(), nullable=False),
        pa.field("video", pa.int64(), nullable=False),
        pa.field("author", pa.int64(), nullable=False),
        pa.field("topics", pa.list_(pa.int32()), nullable=False),
        pa.field("words", pa.list_(pa.int32()), nullable=False),
        pa.field("duration_ms", pa.int64(), nullable=False),
        pa.field("created_at_ms", pa.int64(), nullable=False),
        pa.field("regions", pa.int64(), nullable=False),
        pa.field("language", pa.int32(), nullable=False),
        pa.field("age_rating", pa.int16(), nullable=False),
        pa.field("visible", pa.bool_(), nullable=False),
    ]
)


def as_signed(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return (N,) keys as signed numbers of the same bits."""
    return np.ascontiguousarray(keys, np.uint64).view(np.int64)


def as_keys(signed: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return (N,) keys from signed numbers of the same bits."""
    return np.ascontiguousarray(signed, np.int64).view(np.uint64)
