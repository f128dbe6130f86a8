"""Durable ingest: JSON batches of 500 events, admitted, pseudonymised, group-committed."""

import json
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path

from bench.measure import Measurement, one_core, repeated
from playbill.app.wiring import Wiring

BATCH, BATCHES, IN_FLIGHT = 500, 100, 8


def bodies(run: int) -> list[bytes]:
    """Return request bodies with events of 2,000 viewers on 5,000 videos."""
    now_ms = int(time.time() * 1000)
    return [
        json.dumps(
            {
                "events": [
                    {
                        "event_id": f"run{run}-batch{batch}-event{number}",
                        "type": ("click", "watch", "like")[number % 3],
                        "user_id": f"viewer-{(batch * 37 + number) % 2_000}",
                        "video_id": f"video-{(batch * 911 + number * 7) % 5_000}",
                        "at": now_ms,
                        "watch_ms": 20_000,
                        "position": number % 20,
                        "request_id": f"{batch * 1000 + number:016x}",
                        "surface": "home",
                        "region": "world",
                    }
                    for number in range(BATCH)
                ]
            }
        ).encode()
        for batch in range(BATCHES)
    ]


def measure_ingest(repeats: int) -> Measurement:
    """Return events per second that are durable, with eight batches under way at once."""
    with tempfile.TemporaryDirectory() as folder, one_core():
        collector = Wiring.of(Path(folder)).collector("bench")
        runs = iter(range(1_000))

        def work() -> float:
            batches = bodies(next(runs))
            waiting: list[Future[int]] = []
            started_s = time.perf_counter()
            for body in batches:
                reply, durable = collector.take_events(body)
                assert reply.accepted == BATCH
                waiting += durable
                if len(waiting) >= IN_FLIGHT:
                    waiting.pop(0).result()
            for future in waiting:
                future.result()
            return BATCH * BATCHES / (time.perf_counter() - started_s)

        rates = repeated(work, repeats)
        collector.close()
    return Measurement("ingest", "events/s, durable, JSON batches of 500", rates, 50_000)
