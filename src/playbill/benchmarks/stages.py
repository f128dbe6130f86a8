"""Where the microseconds of a feed go, stage by stage, in process."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from playbill.app.learning import hardware
from playbill.benchmarks.capacity import OnStage
from playbill.benchmarks.inside import Inside, inside
from playbill.benchmarks.prepare import Prepared, read_prepared
from playbill.benchmarks.world import viewer_name
from playbill.contracts import FeedRequest
from playbill.ranking import StageRecord

_WARM = 300
_FLUSH_EVERY = 16
_VIEWERS = 50_000


def messages(prepared: Prepared, count: int, seed: int) -> list[FeedRequest]:
    """Return requests of viewers drawn at random."""
    numbers = np.random.default_rng(seed).integers(min(prepared.viewers, _VIEWERS), size=count)
    return [FeedRequest(user_id=viewer_name(number), size=20) for number in numbers.tolist()]


def measure_stages(folder: Path, port: int, feeds: int, on_stage: OnStage) -> dict[str, Any]:
    """Return median and 95th percentile of each stage in microseconds, and of the whole.

    The stages come from traces of one set of feeds, the whole from as many untraced ones; what the
    stages do not name is the record, the encoding and everything between.

    Raises:
        NotFound: the home was not prepared.
    """
    prepared = read_prepared(folder)
    with inside(folder, port) as worker:
        for message in messages(prepared, _WARM, 1):
            worker.feed(message)
        whole = _whole(worker, messages(prepared, feeds, 2), on_stage)
        stages = _stages(worker, messages(prepared, feeds, 3), on_stage)
    rows = [_row(name, kind, us, kept) for (name, kind), (us, kept) in stages.items()]
    named = sum(row["p50_us"] for row in rows)
    total = _row("feed, whole", "", whole, [])
    rest = {"stage": "record, encoding, rest", "kind": "", "p50_us": total["p50_us"] - named}
    return {
        "hardware": hardware(),
        "videos": prepared.videos,
        "viewers": prepared.viewers,
        "feeds": feeds,
        "stages": [*rows, {**rest, "p50_us": round(rest["p50_us"], 1)}],
        "whole": total,
    }


def _whole(worker: Inside, asked: list[FeedRequest], on_stage: OnStage) -> list[float]:
    clock, took = worker.wiring.clock, []
    for place, message in enumerate(asked):
        started_s = clock.elapsed_s()
        worker.feed(message)
        took.append((clock.elapsed_s() - started_s) * 1e6)
        if place % _FLUSH_EVERY == 0:
            worker.service.flush()
            on_stage("whole feeds", place / len(asked))
    on_stage("whole feeds", 1.0)
    return took


Stages = dict[tuple[str, str], tuple[list[float], list[int]]]


def _stages(worker: Inside, asked: list[FeedRequest], on_stage: OnStage) -> Stages:
    found: Stages = defaultdict(lambda: ([], []))
    for place, message in enumerate(asked):
        _, trace = worker.service.preview(message)
        for stage in _joined(trace.stages):
            us, kept = found[stage.name, stage.kind]
            us.append(stage.ms * 1000.0)
            kept.append(stage.left)
        on_stage("traced feeds", place / len(asked))
    on_stage("traced feeds", 1.0)
    return found


def _joined(stages: list[StageRecord]) -> list[StageRecord]:
    """Return the stages with all rules as one: they are asked about together."""
    rules = [stage for stage in stages if stage.kind == "filter"]
    joined = [stage for stage in stages if stage.kind != "filter"]
    if rules:
        ms = sum(stage.ms for stage in rules)
        joined.append(StageRecord("rules", "filter", rules[0].came, rules[-1].left, ms))
    return joined


def _row(name: str, kind: str, us: list[float], kept: list[int]) -> dict[str, Any]:
    return {
        "stage": name,
        "kind": kind,
        "p50_us": round(float(np.median(us)), 1),
        "p95_us": round(float(np.quantile(us, 0.95)), 1),
        "left": round(float(np.mean(kept)), 1) if kept else None,
    }
