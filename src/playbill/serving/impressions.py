"""Impression records: what was shown to whom, by which bundle, from which state."""

import contextlib
import struct
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
_MOST_WAITING = 64


_HEAD = struct.Struct("<Q16sQqqqQQH6B")
"""``REQUEST_RECORD``, field by field: ten times faster than naming them."""


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
    digests = short_digest(bundle), short_digest(settings)
    flags = settled, personalised, 0
    packed = _HEAD.pack(
        request, user, session, at_ms, *epochs, *digests, shown, tier, *place, *flags
    )
    return np.frombuffer(packed, REQUEST_RECORD)


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
    """Send records to the log without waiting for the disk, many feeds at a time.

    Records wait for ``flush``, which is to be called twenty times a second, or until there are
    64 of them. A process that is killed takes those that wait with it.

    Args:
        collector: the process's own.
        lost: called with how many feeds' records the log refused.
    """

    def __init__(self, collector: Collector, lost: Callable[[int], None]) -> None:
        self._collector = collector
        self._lost = lost
        self._failing = False
        self._feeds: list[tuple[Records, Records]] = []
        self._traces: list[bytes] = []

    def failing(self) -> bool:
        """Return whether the log refused the last record."""
        return self._failing

    def record(self, head: Records, shown: Records, trace: ServedTrace | None) -> None:
        """Keep one served feed, and the evidence when it was kept, for the next flush."""
        self._feeds.append((head, shown))
        if trace is not None:
            self._traces.append(msgspec.msgpack.encode(trace))
        if len(self._feeds) >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Queue what waits; evidence may be lost."""
        if not self._feeds:
            return
        feeds, self._feeds = self._feeds, []
        traces, self._traces = self._traces, []
        try:
            future = self._collector.take_impressions(feeds)
        except DependencyUnavailable:
            self._failing = True
            self._lost(len(feeds))
            return
        future.add_done_callback(lambda done: self._settle(done, len(feeds)))
        if traces:
            with contextlib.suppress(DependencyUnavailable):
                self._collector.take_traces(traces)

    def _settle(self, done: "Future[int]", feeds: int) -> None:
        self._failing = done.exception() is not None
        if self._failing:
            self._lost(feeds)
