"""Bundles that follow one another under load."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.app.verbs import Home
from playbill.benchmarks.capacity import OnStage, full_runs, told
from playbill.benchmarks.feed import with_load
from playbill.benchmarks.load import Generator, Load
from playbill.benchmarks.prepare import read_prepared
from playbill.contracts import MANIFEST_FILE
from playbill.registry import BundleStore

_SHARE = 0.7
_CAPACITY_S = 6.0
_AFTER_S = 0.1


def measure_swap(
    folder: Path, port: int, swaps: int, every_s: float, on_stage: OnStage
) -> dict[str, Any]:
    """Return what ``swaps`` changes of the champion do to feeds at 70 % of capacity.

    The second bundle is the first under another name. A swap lasts from its promotion until the
    last reply of the bundle before.

    Raises:
        NotFound: the home was not prepared.
    """
    store = Home(folder).bundles
    first = read_prepared(folder).bundle
    on_stage("second bundle", 0.0)
    pair = first, twin(store, first)
    on_stage("second bundle", 1.0)
    try:
        return with_load(
            folder,
            port,
            lambda generator: _swapped(generator, store, pair, swaps, every_s, on_stage),
        )
    finally:
        store.promote(first)
        shutil.rmtree(store.path(pair[1]))


def twin(store: BundleStore, digest: str) -> str:
    """Add a bundle of the same files, made a millisecond later; return its digest."""
    manifest = store.manifest(digest)
    draft = store.path(digest).with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(store.path(digest), draft, copy_function=os.link)
    (draft / MANIFEST_FILE).unlink()
    later = msgspec.structs.replace(manifest, files={}, created_at_ms=manifest.created_at_ms + 1)
    return store.add(draft, later)


async def _swapped(
    generator: Generator,
    store: BundleStore,
    pair: tuple[str, str],
    swaps: int,
    every_s: float,
    on_stage: OnStage,
) -> dict[str, Any]:
    capacity = told(await full_runs(generator, _CAPACITY_S, on_stage))
    offered, seconds = _SHARE * capacity["capacity_per_s"], (swaps + 1) * every_s
    under_way = asyncio.ensure_future(generator.open(offered, seconds, np.random.default_rng(3)))
    promoted_s = []
    for number in range(swaps):
        await asyncio.sleep(every_s)
        promoted_s.append(generator.now_s())
        await asyncio.to_thread(store.promote, pair[(number + 1) % 2])
        on_stage("swaps", (number + 1) / swaps)
    load = await under_way
    return {
        **capacity,
        **_report(load, pair, promoted_s, every_s),
    }


def _report(
    load: Load, pair: tuple[str, str], promoted_s: list[float], every_s: float
) -> dict[str, Any]:
    done_s, latency_ms = np.array(load.done_s), np.array(load.latency_ms)
    bundles = np.array([digest.decode() for digest in load.bundles])
    during = np.zeros(len(done_s), np.bool_)
    took_s = []
    for number, at_s in enumerate(promoted_s):
        before, now = pair[number % 2], pair[(number + 1) % 2]
        here = (done_s >= at_s) & (done_s < at_s + every_s)
        if not (here & (bundles == now)).any():
            continue
        end_s = float(done_s[here & (bundles == before)].max(initial=at_s))
        took_s.append(end_s - at_s)
        during |= here & (done_s <= end_s + _AFTER_S)
    return {
        "swaps": len(promoted_s),
        "arrived": len(took_s),
        "took_s": round(float(np.median(took_s)), 2) if took_s else None,
        "failed": load.failed,
        "problems": dict(load.problems),
        "empty": load.empty,
        "replies": len(done_s),
        "tiers": dict(load.tiers),
        "during_swaps_p99_ms": _p99(latency_ms[during]),
        "between_swaps_p99_ms": _p99(latency_ms[~during]),
        "slowest_ms": round(float(latency_ms.max(initial=0.0)), 2),
    }


def _p99(latency_ms: npt.NDArray[np.float64]) -> float | None:
    return round(float(np.quantile(latency_ms, 0.99)), 2) if len(latency_ms) else None
