"""Feeds while events are folded and videos arrive: how late feeds are, and how late the fold is."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.app.learning import hardware
from playbill.app.supervisor import Supervisor
from playbill.app.updater_process import PLACE as UPDATER
from playbill.app.verbs import Home
from playbill.benchmarks.capacity import OnStage, full_runs, told
from playbill.benchmarks.cores import CoreTime
from playbill.benchmarks.feed import before_all_others, load_row, served
from playbill.benchmarks.fold_parity import kept_start, parity_since
from playbill.benchmarks.load import Generator
from playbill.benchmarks.posting import Plan, Posted, poster
from playbill.benchmarks.prepare import read_prepared
from playbill.benchmarks.world import viewer_name
from playbill.core import key64
from playbill.serving import SERVING, Board
from playbill.serving.board import quantile_ms

_SHARE = 0.7
_CAPACITY_S = 6.0
_LOOK_S = 0.005
_PATIENCE_S = 30.0
_ASKING = 50_000
_TRACE_SHARE = 0.02
_SAMPLE = 5_000


def measure_fold(
    folder: Path,
    port: int,
    seconds: float,
    events_per_s: float,
    videos_per_s: float,
    acting: int,
    on_stage: OnStage,
) -> dict[str, Any]:
    """Return what folding does to feeds at 70 % of capacity, and how far behind it is.

    The same load comes twice, without and with events and videos. Afterwards a sample of the
    feature vectors that were served meanwhile is recomputed: from the checkpoint and the rows that
    the live state started from, and the log since.

    Args:
        folder: of the prepared home.
        port: where it serves.
        seconds: of each of the two loads.
        events_per_s: by how many viewers ever.
        videos_per_s: new ones.
        acting: viewers whose events come, as many as there are at most.
        on_stage: told of progress.

    Raises:
        NotFound: the home was not prepared.
    """
    prepared = read_prepared(folder)
    names = [viewer_name(n) for n in range(min(_ASKING, prepared.viewers))]
    np.random.default_rng(prepared.seed).shuffle(names)
    now_ms = Home(folder).wiring.clock.now_ms()
    plan = Plan(
        port=port + 1,
        seconds=seconds,
        events_per_s=events_per_s,
        videos_per_s=videos_per_s,
        viewers=min(acting, prepared.viewers),
        videos=prepared.videos,
        run=f"{now_ms:x}",
        at_ms=now_ms,
    )
    start = kept_start(Home(folder), names)
    try:
        with (
            served(folder, port, settings={"serving.trace_share": _TRACE_SHARE}) as supervisor,
            poster(plan) as posting,
        ):
            generator = Generator("127.0.0.1", port, names, supervisor.wiring.clock)
            watch = _Watch(supervisor, plan)
            with before_all_others() as first:
                report = asyncio.run(_folded(generator, watch, posting, seconds, on_stage))
        report["parity"] = parity_since(start, Home(folder), _SAMPLE, on_stage)
    finally:
        shutil.rmtree(start.folder)
    sizes = {"videos": prepared.videos, "viewers": prepared.viewers, "acting": plan.viewers}
    return {"hardware": hardware(), **sizes, "generator_first": first, **report}


async def _folded(
    generator: Generator, watch: "_Watch", posting: Any, seconds: float, on_stage: OnStage
) -> dict[str, Any]:
    capacity = told(await full_runs(generator, _CAPACITY_S, on_stage))
    offered, random = _SHARE * capacity["capacity_per_s"], np.random.default_rng(6)
    before = watch.latency()
    quiet = await generator.open(offered, seconds, random)
    between = watch.latency()
    on_stage("folding", 0.0)
    posting.send("begin")
    watching = asyncio.ensure_future(watch.look())
    cores = watch.cores()
    folding = await generator.open(offered, seconds, random)
    within, shares, after = watch.folded(), cores.shares(), watch.latency()
    posted: Posted = await asyncio.to_thread(posting.recv)
    await watch.until_all(posted)
    watching.cancel()
    await generator.close()
    on_stage("folding", 1.0)
    return {
        **capacity,
        "loads": [
            {"stage": "quiet", **load_row(offered, quiet, "open"), **_inside(between - before)},
            {"stage": "folding", **load_row(offered, folding, "open"), **_inside(after - between)},
        ],
        "events_posted_per_s": round(posted.events / max(posted.seconds, seconds), 1),
        "records_folded_per_s": round(within / seconds, 1),
        "posts_failed": posted.failed,
        "cores": shares,
        **watch.report(posted),
    }


class _Watch:
    """Look at shared memory: how far the fold is, and which posted videos are candidates.

    A video is one once the worker's lists and vectors know of its row.
    """

    def __init__(self, supervisor: Supervisor, plan: Plan) -> None:
        wiring = supervisor.wiring
        self._clock = wiring.clock
        self._processes = supervisor.processes
        self._board = Board(wiring.layout.board, create=False)
        self._items = wiring.items(create=False)
        self._plan = plan
        self._first = int(self._items.header["items"][0])
        self._folded = 0
        self._epochs: dict[int, int] = {}
        self._listed_s: list[float] = []

    async def look(self) -> None:
        """Look two hundred times a second, until cancelled."""
        self._folded = self._board.count(UPDATER, "folded")
        while True:
            head = self._items.header[0]
            self._epochs[int(head["epoch"])] = int(head["lag_ms"])
            serving = self._board.rows["ready"] == SERVING
            listed = int(self._board.rows["listed"][serving].max(initial=0)) - self._first
            now_s = self._clock.elapsed_s()
            self._listed_s += [now_s] * (listed - len(self._listed_s))
            await asyncio.sleep(_LOOK_S)

    def cores(self) -> CoreTime:
        """Begin to measure where the cores' time goes."""
        own = {"generator": os.getpid()}
        return CoreTime({**self._processes(), **own}, self._clock)

    def latency(self) -> npt.NDArray[np.int64]:
        """Return replies by the time that they took inside the worker, since its start."""
        return self._board.latency()

    def folded(self) -> int:
        """Return how many events, and videos shown by feeds, were folded since the beginning."""
        return self._board.count(UPDATER, "folded") - self._folded

    async def until_all(self, posted: Posted) -> None:
        """Wait until everything that was posted is folded and listed, or for half a minute."""
        until_s = self._clock.elapsed_s() + _PATIENCE_S
        while self._clock.elapsed_s() < until_s:
            if self.folded() >= posted.events and len(self._listed_s) >= len(posted.due_s):
                return
            await asyncio.sleep(_LOOK_S)

    def report(self, posted: Posted) -> dict[str, Any]:
        """Return lags of epochs, and times from when videos were due to when they were listed.

        Videos that were posted at one moment may have changed places, so each is found by key.
        """
        rows = {
            int(key): row
            for row, key in enumerate(self._items.items["key"][self._first :][: len(posted.due_s)])
        }
        took_ms = [
            (self._listed_s[row] - due_s) * 1000.0
            for number, due_s in enumerate(posted.due_s)
            if (row := rows.get(key64(self._plan.video_id(number)), len(self._listed_s)))
            < len(self._listed_s)
        ]
        lags_ms = list(self._epochs.values())
        return {
            "epochs": len(lags_ms),
            "epoch_lag_p50_ms": _quantile(lags_ms, 0.5),
            "epoch_lag_p99_ms": _quantile(lags_ms, 0.99),
            "videos_posted": len(posted.due_s),
            "videos_listed": len(took_ms),
            "eligible_p50_ms": _quantile(took_ms, 0.5),
            "eligible_p99_ms": _quantile(took_ms, 0.99),
        }


def _inside(counts: npt.NDArray[np.int64]) -> dict[str, float | None]:
    """Return what replies took inside the worker, without waiting for their turn."""
    return {
        "inside_p95_ms": _rounded(quantile_ms(counts, 0.95)),
        "inside_p99_ms": _rounded(quantile_ms(counts, 0.99)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _quantile(values: list[float] | list[int], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 1) if values else None
