"""From what replay gathers to Arrow columns, and from item state to a table."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from playbill.core import DAY_MS
from playbill.features import NO_TOPIC, NO_WORD, VISIBLE
from playbill.training.schema import HISTORIES_SCHEMA, ITEMS_SCHEMA, STAGED_SCHEMA, as_signed

Records = npt.NDArray[np.void]
Floats = npt.NDArray[np.float32]


def row_batch(meta: Records, features: Floats) -> pa.RecordBatch:
    """Return a batch of ``STAGED_SCHEMA`` from (N,) ``ROW_META`` and (N, F) features."""
    served = meta["served"] == 1
    columns = {
        "row_id": pa.array(meta["row_id"]),
        "request": _signed(meta["request"], meta["request"] != 0),
        "user": _binary(meta["user"]),
        "video": _signed(meta["video"], None),
        "item": pa.array(meta["item"].astype(np.int64)),
        "author": pa.array(meta["author"].astype(np.int64)),
        "at_ms": pa.array(meta["at_ms"]),
        "read_at_ms": pa.array(meta["read_at_ms"]),
        "day": pa.array((meta["at_ms"] // DAY_MS).astype(np.int32)),
        "position": pa.array(meta["position"], mask=meta["position"] < 0),
        "surface": pa.array(meta["surface"].astype(np.int16)),
        "region": pa.array(meta["region"].astype(np.int16)),
        "topic": pa.array(meta["topic"]),
        "source": pa.array(meta["source"].astype(np.int16), mask=~served),
        "propensity": pa.array(meta["propensity"], mask=~served),
        "tier": pa.array(meta["tier"].astype(np.int16), mask=~served),
        "bundle": _signed(meta["bundle"], meta["bundle"] != 0),
        "item_epoch": pa.array(meta["item_epoch"]),
        "snapshot": pa.array(meta["snapshot"]),
        "settled": pa.array(meta["settled"] == 1),
    }
    by_column = np.ascontiguousarray(features.T)
    names = STAGED_SCHEMA.names[len(columns) :]
    columns.update({name: pa.array(by_column[place]) for place, name in enumerate(names)})
    arrays = [columns[name] for name in STAGED_SCHEMA.names]
    return pa.RecordBatch.from_arrays(arrays, schema=STAGED_SCHEMA)


def history_batch(snapshots: Records) -> pa.RecordBatch:
    """Return a batch of ``HISTORIES_SCHEMA`` from (S,) ``SNAPSHOT``."""
    counts = snapshots["count"].astype(np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    filled = np.arange(snapshots["items"].shape[1])[None, :] < counts[:, None]
    items = pa.array(snapshots["items"][filled].astype(np.int64))
    actions = pa.array(snapshots["actions"][filled].astype(np.int16))
    arrays = [
        pa.array(snapshots["snapshot"]),
        pa.ListArray.from_arrays(offsets, items),
        pa.ListArray.from_arrays(offsets, actions),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=HISTORIES_SCHEMA)


def item_batch(items: Records) -> pa.RecordBatch:
    """Return a batch of ``ITEMS_SCHEMA`` from (I,) ``ITEM_RECORD`` in the order of their rows."""
    columns = {
        "item": np.arange(len(items), dtype=np.int64),
        "video": as_signed(items["key"]),
        "author": items["author"].astype(np.int64),
        "duration_ms": items["duration_ms"].astype(np.int64),
        "created_at_ms": items["created_at_ms"].astype(np.int64),
        "regions": items["regions"].astype(np.int64),
        "language": items["language"].astype(np.int32),
        "age_rating": items["age_rating"].astype(np.int16),
        "visible": (items["flags"] & VISIBLE) != 0,
    }
    arrays = {name: pa.array(column) for name, column in columns.items()}
    arrays["topics"] = _lists(items["topics"], items["topics"] != NO_TOPIC)
    arrays["words"] = _lists(items["words"], items["words"] != NO_WORD)
    ordered = [arrays[name] for name in ITEMS_SCHEMA.names]
    return pa.RecordBatch.from_arrays(ordered, schema=ITEMS_SCHEMA)


def _lists(values: npt.NDArray[np.uint16], there: npt.NDArray[np.bool_]) -> pa.Array:
    """Return (N,) lists of those of (N, K) values that are there."""
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values[there].astype(np.int32)))


def _signed(keys: npt.NDArray[np.uint64], known: npt.NDArray[np.bool_] | None) -> pa.Array:
    return pa.array(as_signed(keys), mask=None if known is None else ~known)


def _binary(users: npt.NDArray[np.uint64]) -> pa.Array:
    """Return (N,) 16-byte values from (N, 2) numbers without making N objects."""
    data = np.ascontiguousarray(users).tobytes()
    offsets = np.arange(len(users) + 1, dtype=np.int32) * 16
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(users), buffers)
