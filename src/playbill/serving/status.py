"""How the deployment is doing: rates and latencies over the last seconds, read off the board."""

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import Status
from playbill.core import Clock
from playbill.retrieval import view_of
from playbill.serving.board import SERVING, Board, quantile_ms
from playbill.serving.feed_service import FeedService

_WINDOW = 50
_ALIVE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    feeds: int
    events: int
    latency: npt.NDArray[np.int64]


class StatusReader:
    """Rates need a past: ``sample`` is called at each heartbeat."""

    def __init__(self, board: Board, service: FeedService, clock: Clock) -> None:
        self._board = board
        self._service = service
        self._clock = clock
        self._samples: deque[_Sample] = deque(maxlen=_WINDOW)
        self._visible = 0
        self._bundle_created_at_ms: int | None = None
        self.sample()

    def sample(self) -> None:
        """Remember the counters of now."""
        board = self._board
        self._samples.append(
            _Sample(
                self._clock.elapsed_s(),
                board.total("feeds"),
                board.total("events"),
                board.latency(),
            )
        )

    def count_visible(self) -> None:
        """Look up how many videos are visible, which the updater counts."""
        shared = self._service.state.shared
        if shared is not None:
            self._visible = int(shared.header["visible"][0])

    def bundle_created(self, at_ms: int | None) -> None:
        """Remember when the serving bundle was made."""
        self._bundle_created_at_ms = at_ms

    def read(self) -> Status:
        """Return the status of now."""
        first, last = self._samples[0], self._samples[-1]
        span_s = max(last.at_s - first.at_s, 1e-3)
        latency = last.latency - first.latency
        shared = self._service.state.shared
        view = None if shared is None else view_of(shared)
        now_ms = self._clock.now_ms()
        rows = self._board.rows
        alive = rows["beat_s"] > self._clock.elapsed_s() - _ALIVE_S
        return Status(
            at_ms=now_ms,
            epoch=view.epoch if view else 0,
            epoch_age_ms=max(now_ms - view.at_ms, 0) if view and view.at_ms else 0,
            epoch_lag_ms=int(shared.header["lag_ms"][0]) if shared is not None else 0,
            videos=self._visible,
            authors=len(view.tables.authors) if view else 0,
            topics=len(view.tables.topics) if view else 0,
            bundle=self._service.state.bundle,
            bundle_created_at_ms=self._bundle_created_at_ms,
            requests_per_s=(last.feeds - first.feeds) / span_s,
            events_per_s=(last.events - first.events) / span_s,
            latency_p50_ms=quantile_ms(latency, 0.50),
            latency_p95_ms=quantile_ms(latency, 0.95),
            tiers=self._board.tiers(),
            workers=int((alive & (rows["ready"] == SERVING)).sum()),
            restarts=self._board.total("restarts"),
        )
