"""Impression records: what was shown to whom, by which bundle, from which state."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import REQUEST_RECORD, SHOWN_RECORD
from playbill.core import DependencyUnavailable
from playbill.events import Collector
from playbill.features import ServedTrace

Records = npt.NDArray[np.void]


def request_head(
    *,
    request: int,
    user: bytes,
    session: int,
    at_ms: int,
    epochs: tuple[int, int],
    bundle: str | None,
    settings: str,
    shown: int,
    tier: int,
    place: tuple[int, int],
    settled: bool,
    personalised: bool,
) -> Records:
    """Return the (1,) ``REQUEST_RECORD`` of a served feed.

    Args:
        epochs: of the item state and of the viewer's row.
        place: surface and region codes.
    """
    head = np.zeros(1, REQUEST_RECORD)
    head["request"] = request
    head["user"] = np.frombuffer(user, "<u8")
    head["session"] = session
    head["at_ms"] = at_ms
    head["item_epoch"], head["user_epoch"] = epochs
    head["bundle"] = short_digest(bundle)
    head["settings"] = short_digest(settings)
    head["count"] = shown
    head["tier"] = tier
    head["surface"], head["region"] = place
    head["settled"] = settled
    head["personalised"] = personalised
    return head


def shown_videos(
    videos: npt.NDArray[np.uint64],
    scores: npt.NDArray[np.float32],
    propensity: npt.NDArray[np.float32],
    sources: npt.NDArray[np.uint8],
) -> Records:
    """Return the (K,) ``SHOWN_RECORD`` of a slate."""
    shown = np.zeros(len(videos), SHOWN_RECORD)
    shown["video"] = videos
    shown["score"] = scores
    shown["propensity"] = propensity
    shown["source"] = sources
    return shown


def short_digest(digest: str | None) -> int:
    """Return the first 64 bits of a ``sha256:`` digest, 0 for None."""
    return 0 if digest is None else int(digest[7:23], 16)


class Recorder:
    """Send records to the log without waiting for the disk.

    Args:
        collector: the process's own.
        lost: called with how many feeds' records the log refused.
    """

    def __init__(self, collector: Collector, lost: Callable[[int], None]) -> None:
        self._collector = collector
        self._lost = lost
        self._failing = False

    def failing(self) -> bool:
        """Return whether the log refused the last record."""
        return self._failing

    def record(self, head: Records, shown: Records, trace: ServedTrace | None) -> None:
        """Queue one served feed, and the evidence when it was kept; that one may be lost."""
        try:
            future = self._collector.take_impressions([(head, shown)])
        except DependencyUnavailable:
            self._failing = True
            self._lost(1)
            return
        future.add_done_callback(self._settle)
        if trace is not None:
            with contextlib.suppress(DependencyUnavailable):
                self._collector.take_traces([msgspec.msgpack.encode(trace)])

    def _settle(self, done: "Future[int]") -> None:
        self._failing = done.exception() is not None
        if self._failing:
            self._lost(1)
