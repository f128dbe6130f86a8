"""Liveness, readiness and metrics."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from starlette.requests import Request
from starlette.responses import Response

from playbill.serving.board import BUCKET_MS, COUNTERS, Board
from playbill.serving.http.refusals import Draining
from playbill.serving.http.replies import KEPT_PRIVATE, reply
from playbill.serving.status import StatusReader

_HELP = {
    "feeds": "Feed replies.",
    "events": "Events taken.",
    "rejected": "Events refused at admission.",
    "duplicates": "Events repeated inside their batch.",
    "impressions_lost": "Feeds whose impression records the log refused.",
    "errors": "Failures of our own, answered all the same.",
    "refused": "Requests that were not taken: overload, bad input.",
    "gave_way": "Prefetches refused and entries of bulk left out: people's requests waited.",
    "epochs": "Epochs closed.",
    "folded": "Events folded, and videos shown by served feeds.",
    "unknown_videos": "Events on videos that were never posted.",
    "unknown_authors": "Follows of authors for whom there was no room.",
    "video_keys_taken": "Videos left out because another id had their key a moment earlier.",
    "videos_without_room": "Videos left out because the catalogue or its authors were full.",
    "restarts": "Processes replaced by the supervisor.",
}


class Health:
    """``/livez``, ``/readyz``, ``/metrics``. The metrics are those of all processes together.

    Args:
        drains: whether the port is about to be left by all who serve it.
    """

    def __init__(
        self, board: Board, status: StatusReader, drains: Callable[[], bool] = lambda: False
    ) -> None:
        self._board = board
        self._status = status
        self._drains = drains
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def livez(self, request: Request) -> Response:
        """Say that the loop turns."""
        return reply({"alive": True})

    async def readyz(self, request: Request) -> Response:
        """Say whether the port takes work: not once all who serve it were told to stop.

        Raises:
            Draining: this process was, and no other takes its place.
        """
        if self._drains():
            raise Draining(
                "this server was told to stop; it finishes what it has", hint="ask another one"
            )
        status = self._status.read()
        return reply({"ready": True, "epoch": status.epoch, "bundle": status.bundle})

    async def metrics(self, request: Request) -> Response:
        """Return Prometheus's text format."""
        text = generate_latest(self._registry)
        return Response(
            text, headers=KEPT_PRIVATE, media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families, as prometheus-client asks for them."""
        for name in COUNTERS:
            family = CounterMetricFamily(f"playbill_{name}", _HELP[name])
            family.add_metric([], self._board.total(name))
            yield family
        tiers = CounterMetricFamily("playbill_feed_tier", "Feed replies by tier.", labels=["tier"])
        for tier, count in self._board.tiers().items():
            tiers.add_metric([tier], count)
        yield tiers
        refusals = CounterMetricFamily(
            "playbill_refusals", "Requests that were not taken, by code.", labels=["code"]
        )
        for code, count in self._board.refusals().items():
            refusals.add_metric([code], count)
        yield refusals
        counts = self._board.latency().cumsum()
        buckets = [
            (f"{bound / 1000.0:.6g}", float(count))
            for bound, count in zip(BUCKET_MS, counts[:-1], strict=True)
        ]
        buckets.append(("+Inf", float(counts[-1])))
        latency = HistogramMetricFamily(
            "playbill_feed_seconds", "Time to answer a feed, inside the worker."
        )
        latency.add_metric([], buckets, self._board.latency_sum_ms() / 1000.0)
        yield latency
        yield from self._gauges()

    def _gauges(self) -> Iterator[Metric]:
        status = self._status.read()
        for name, text, value in (
            ("epoch", "Number of the newest epoch.", status.epoch),
            ("epoch_age_seconds", "Time since the last epoch.", status.epoch_age_ms / 1000.0),
            ("epoch_lag_seconds", "Arrival to fold, last epoch.", status.epoch_lag_ms / 1000.0),
            ("videos", "Visible videos.", status.videos),
            ("workers", "Processes whose heart beats.", status.workers),
        ):
            yield GaugeMetricFamily(f"playbill_{name}", text, value=value)
