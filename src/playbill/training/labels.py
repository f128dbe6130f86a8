"""Outcomes find the impression they belong to: one as-of join over columns on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow.dataset

from playbill.training.schema import LABELS

_BITS = {f"{label}_bit": 1 << LABELS.index(label) for label in ("click", "like")}

_JOIN = """
CREATE TEMP TABLE joined AS
WITH named AS (
    SELECT min(row_id) AS row_id, arg_min(at_ms, row_id) AS shown_at_ms,
           request, user_a, user_b, video
    FROM keys WHERE request <> 0 GROUP BY ALL
), timed AS (
    SELECT max(row_id) AS row_id, at_ms AS shown_at_ms, user_a, user_b, video
    FROM keys GROUP BY ALL
), by_request AS (
    SELECT o.labels, o.watched, o.watch_ms, n.row_id, o.at_ms - n.shown_at_ms AS delay_ms
    FROM outcomes AS o LEFT JOIN named AS n
    ON o.request = n.request AND o.user_a = n.user_a AND o.user_b = n.user_b AND o.video = n.video
    WHERE o.request <> 0
), by_time AS (
    SELECT o.labels, o.watched, o.watch_ms, t.row_id, o.at_ms - t.shown_at_ms AS delay_ms
    FROM (SELECT * FROM outcomes WHERE request = 0) AS o ASOF LEFT JOIN timed AS t
    ON o.user_a = t.user_a AND o.user_b = t.user_b AND o.video = t.video
    AND o.at_ms >= t.shown_at_ms
)
SELECT * FROM by_request UNION ALL SELECT * FROM by_time
"""

_LIMIT = """
CREATE TEMP TABLE limited AS
SELECT *, CASE WHEN watched THEN $long_view WHEN labels & $click_bit <> 0 THEN $click
               WHEN labels & $like_bit <> 0 THEN $like ELSE $negative END AS window_ms
FROM joined
"""
"""Each outcome is of one kind: what is no watch, click or like is a hide or a report."""

_COUNT = """
SELECT count(*) FILTER (row_id IS NULL), count(*) FILTER (delay_ms > window_ms),
       count(*) FILTER (delay_ms <= window_ms)
FROM limited
"""

_REQUESTS = "SELECT count(DISTINCT request) FROM keys WHERE request <> 0"

_GATHER = """
SELECT row_id, bit_or(labels) AS labels, max(watch_ms) FILTER (watched) AS watch_ms,
       min(greatest(delay_ms, 0)) AS delay_ms
FROM limited WHERE delay_ms <= window_ms GROUP BY row_id
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of N rows, and what became of all outcomes.

    ``bits`` (N,) uint8 has bit k for ``schema.LABELS[k]``; ``viewed_long`` (N,) is what the log
    calls a long view, whatever rankers are taught; ``watch_ms`` (N,) is the longest watch
    and ``delay_ms`` (N,) the time to the first outcome, both valid where their mask is True.
    ``requests`` counts the distinct ones among the rows.
    """

    bits: npt.NDArray[np.uint8]
    viewed_long: npt.NDArray[np.bool_]
    watch_ms: npt.NDArray[np.int32]
    watched: npt.NDArray[np.bool_]
    delay_ms: npt.NDArray[np.int64]
    any_outcome: npt.NDArray[np.bool_]
    joined: int
    late: int
    unmatched: int
    requests: int


def join_labels(folder: Path, rows: int, windows_s: Mapping[str, int], threads: int) -> Labels:
    """Return the labels of the staged rows.

    An outcome that names a request belongs to that request's showing of the video to that viewer,
    whatever its clock says; one that names none belongs to the viewer's latest showing of the
    video not after it. What lies more than its kind's window after its showing is late.

    Args:
        folder: a finished ``Stage``.
        rows: how many rows were staged.
        windows_s: the attribution window of each label in seconds.
        threads: threads of the join; the result does not depend on them.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"SET threads = {int(threads)}")
        connection.execute("SET temp_directory = ?", [str(folder / "spill")])
        for name in ("keys", "outcomes"):
            source = pyarrow.dataset.dataset(str(folder / f"{name}.arrow"), format="ipc")
            connection.register(name, source)
        connection.execute(_JOIN)
        windows_ms = {label: window * 1000 for label, window in windows_s.items()}
        connection.execute(_LIMIT, {**windows_ms, **_BITS})
        counts = connection.execute(_COUNT).fetchone()
        requests = connection.execute(_REQUESTS).fetchone()
        assert counts is not None
        assert requests is not None
        found = connection.execute(_GATHER).fetchnumpy()
    unmatched, late, joined = counts
    return _dense(found, rows, joined=joined, late=late, unmatched=unmatched, requests=requests[0])


def _dense(found: dict[str, Any], rows: int, **counts: int) -> Labels:
    """Spread joined labels over all rows."""
    at = np.asarray(found["row_id"], np.int64)
    bits = np.zeros(rows, np.uint8)
    watch_ms = np.zeros(rows, np.int32)
    watched = np.zeros(rows, np.bool_)
    delay_ms = np.zeros(rows, np.int64)
    any_outcome = np.zeros(rows, np.bool_)
    bits[at] = np.asarray(found["labels"], np.uint8)
    lengths = np.ma.asarray(found["watch_ms"])
    watched[at] = ~np.ma.getmaskarray(lengths)
    watch_ms[at] = lengths.filled(0)
    delay_ms[at] = np.asarray(found["delay_ms"], np.int64)
    any_outcome[at] = True
    viewed_long = (bits >> LABELS.index("long_view") & 1).astype(np.bool_)
    return Labels(bits, viewed_long, watch_ms, watched, delay_ms, any_outcome, **counts)
