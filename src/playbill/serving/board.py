"""The board: heartbeats and counters of every process, in shared memory, one row a process.

Each counter of a row has one writer, so counting is one addition without a lock; whoever asks adds
rows up. The writer is the process whose row it is. ``restarts``, in the updater's row, is the
supervisor's. ``ready`` both write: the supervisor clears it before a process starts.
"""

import mmap
import os
from bisect import bisect_left
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.contracts import PROBLEMS, Tier
from playbill.core import DependencyUnavailable

PROCESSES = 300
BUCKETS = 96
_SMALLEST_MS = 0.05
_GROWTH = 1.12
BUCKET_MS = (_SMALLEST_MS * _GROWTH ** np.arange(BUCKETS)).astype(np.float64)
"""(96,) upper bounds of the latency buckets in milliseconds, 0.05 to about 2,400. One bucket more
counts what is beyond the last of them."""
_BOUNDS_MS: list[float] = BUCKET_MS.tolist()

_ROW = np.dtype(
    [
        ("pid", "<i8"),
        ("ready", "<i8"),
        ("beat_s", "<f8"),
        ("feeds", "<i8"),
        ("tiers", "<i8", (len(Tier),)),
        ("events", "<i8"),
        ("rejected", "<i8"),
        ("duplicates", "<i8"),
        ("impressions_lost", "<i8"),
        ("errors", "<i8"),
        ("refused", "<i8"),
        ("gave_way", "<i8"),
        ("refusals", "<i8", (len(PROBLEMS),)),
        ("epochs", "<i8"),
        ("folded", "<i8"),
        ("listed", "<i8"),
        ("unknown_videos", "<i8"),
        ("unknown_authors", "<i8"),
        ("video_keys_taken", "<i8"),
        ("videos_without_room", "<i8"),
        ("restarts", "<i8"),
        ("latency", "<i8", (BUCKETS + 1,)),
        ("latency_sum_ms", "<f8"),
    ]
)

_CODES = {code: place for place, code in enumerate(PROBLEMS)}

STARTING, WARM, SERVING, DRAINING = 0, 1, 2, 3
"""What ``ready`` says: not yet; takes work, or could (a standby); serves feeds; was told to stop
and finishes what it has."""

COUNTERS = (
    "feeds",
    "events",
    "rejected",
    "duplicates",
    "impressions_lost",
    "errors",
    "refused",
    "gave_way",
    "epochs",
    "folded",
    "unknown_videos",
    "unknown_authors",
    "video_keys_taken",
    "videos_without_room",
    "restarts",
)
"""Counters of a row that may be added up."""


class Board:
    """The mapped file.

    Args:
        path: a file in memory-backed storage.
        create: whether to make it; the supervisor does, others wait for it.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        size = PROCESSES * _ROW.itemsize
        try:
            file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
            if create:
                os.ftruncate(file, size)
                os.posix_fallocate(file, 0, size)
            if os.fstat(file).st_size != size:
                os.close(file)
                raise DependencyUnavailable(
                    "the board of counters belongs to another version", hint="restart playbill up"
                )
            self._map = mmap.mmap(file, size)
            os.close(file)
        except OSError as error:
            raise DependencyUnavailable(
                f"the board of counters cannot be mapped: {error.strerror}",
                hint="start playbill up first",
            ) from error
        self.rows: npt.NDArray[np.void] = np.frombuffer(self._map, _ROW)

    def row(self, place: int) -> "BoardRow":
        """Return the row of one process."""
        return BoardRow(self.rows[place : place + 1])

    def count(self, place: int, counter: str) -> int:
        """Return a counter of one process."""
        return int(self.rows[counter][place])

    def total(self, counter: str) -> int:
        """Return a counter, added up over all processes."""
        return int(self.rows[counter].sum())

    def tiers(self) -> dict[str, int]:
        """Return replies by tier since the start."""
        totals = self.rows["tiers"].sum(axis=0)
        return {tier.value: int(count) for tier, count in zip(Tier, totals, strict=True)}

    def refusals(self) -> dict[str, int]:
        """Return requests that were not taken, by the code of their problem, since the start."""
        totals = self.rows["refusals"].sum(axis=0)
        return {code: int(totals[place]) for code, place in _CODES.items()}

    def latency(self) -> npt.NDArray[np.int64]:
        """Return (97,) replies by latency bucket since the start."""
        counts: npt.NDArray[np.int64] = self.rows["latency"].sum(axis=0)
        return counts

    def latency_sum_ms(self) -> float:
        """Return what all replies since the start took, added up."""
        return float(self.rows["latency_sum_ms"].sum())


class BoardRow:
    """One process's own row."""

    def __init__(self, row: npt.NDArray[np.void]) -> None:
        self._row = row
        self._feeds, self._latency_sum_ms = row["feeds"], row["latency_sum_ms"]
        self._tiers, self._latency = row["tiers"][0], row["latency"][0]

    def start(self, pid: int, now_s: float) -> None:
        """Take the row over, not ready yet; counters go on from where they were."""
        self._row["pid"] = pid
        self._row["ready"] = 0
        self._row["beat_s"] = now_s

    def beat(self, now_s: float) -> None:
        """Say that the loop turns."""
        self._row["beat_s"] = now_s

    def ready(self) -> None:
        """Say that this process takes work, or could."""
        self._row["ready"] = WARM

    def serving(self) -> None:
        """Say that this process serves feeds."""
        self._row["ready"] = SERVING

    def listed(self, videos: int) -> None:
        """Say how many videos of item state this process's lists and vectors know of."""
        self._row["listed"] = videos

    def draining(self) -> None:
        """Say that this process takes no more than what it has."""
        self._row["ready"] = DRAINING

    def is_draining(self) -> bool:
        """Return whether this process said so."""
        return bool(self._row["ready"][0] == DRAINING)

    def count(self, counter: str) -> int:
        """Return a counter of this process."""
        return int(self._row[counter][0])

    def add(self, counter: str, amount: int = 1) -> None:
        """Count."""
        self._row[counter] += amount

    def refuse(self, code: str) -> None:
        """Count a request that was not taken."""
        self._row["refused"] += 1
        place = _CODES.get(code)
        if place is not None:
            self._row["refusals"][0, place] += 1

    def feed(self, tier: int, ms: float) -> None:
        """Count a reply by tier and latency."""
        self._feeds[0] += 1
        self._tiers[tier] += 1
        self._latency[bisect_left(_BOUNDS_MS, ms)] += 1
        self._latency_sum_ms[0] += ms


def quantile_ms(counts: npt.NDArray[np.int64], share: float) -> float | None:
    """Return the upper bound of the bucket that holds a quantile, None without observations.

    The last bucket has none; a quantile in it is told as the largest bound there is.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    place = int(np.searchsorted(np.cumsum(counts), share * total))
    return float(BUCKET_MS[min(place, BUCKETS - 1)])
