"""Feeds over HTTP: one worker on one core, the generator and everything else on the others."""

import http.client
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from bench.measure import Measurement
from playbill.app.demo import Demo, DemoReport
from playbill.app.supervisor import FIRST_WORKER, Supervisor
from playbill.app.verbs import Home
from playbill.simulation import viewer_id

PORT, CONNECTIONS, SECONDS, VIEWERS = 8790, 4, 5.0, 5_000


def learned_home(folder: Path) -> Path:
    """Return a home with 20,000 simulated videos and a bundle, making it where it is missing."""
    kept = Path(os.environ.get("PLAYBILL_BENCH_HOME", folder / "home"))
    if Home(kept).bundles.champion() is None:
        demo = Demo(kept, PORT, before_s=20.0, after_s=2.0)

        def finished(report: DemoReport) -> None:
            print(f"  prepared: {report.impressions:,} impressions, {report.bundle[:23]}")

        demo.run(lambda stage, share: None, lambda line: None, finished, stay=False)
    return kept


def measure_feeds(repeats: int) -> Measurement:
    """Return feeds per second of a closed loop over four connections, 20 videos a feed."""
    with tempfile.TemporaryDirectory() as folder:
        home = learned_home(Path(folder))
        wiring = Home(home).wiring.override(port=PORT, workers=1)
        rates: list[float] = []
        latencies_ms: list[float] = []
        with wiring.alone():
            supervisor = Supervisor(wiring, lambda line: None)
            supervisor.start()
            watching = threading.Thread(target=supervisor.watch)
            watching.start()
            try:
                _place(supervisor)
                _load(1.0)
                for _ in range(repeats):
                    taken_ms = _load(SECONDS)
                    rates.append(len(taken_ms) / SECONDS)
                    latencies_ms += taken_ms
            finally:
                supervisor.stopping.ask()
                watching.join()
    cuts = statistics.quantiles(latencies_ms, n=100)
    notes = [f"latency ms: p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}"]
    return Measurement("feeds", "feeds/s, 20 of 20,000 videos, one worker", rates, None, notes)


def _place(supervisor: Supervisor) -> None:
    """Give the worker a core of its own where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    for name, pid in supervisor.processes().items():
        mine = {cores[0]} if name.endswith(f"-{FIRST_WORKER}") else set(cores[1:] or cores)
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), mine)
    os.sched_setaffinity(0, set(cores[1:] or cores))


def _load(seconds: float) -> list[float]:
    taken_ms: list[float] = []
    end_s = time.perf_counter() + seconds

    def ask(connection: int) -> None:
        server = http.client.HTTPConnection("127.0.0.1", PORT)
        number = connection
        while time.perf_counter() < end_s:
            number = (number * 31 + 7) % VIEWERS
            started_s = time.perf_counter()
            server.request("GET", f"/v1/feed?user_id={viewer_id(number)}&size=20")
            reply = server.getresponse()
            reply.read()
            assert reply.status == 200
            taken_ms.append((time.perf_counter() - started_s) * 1000.0)
        server.close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken_ms
