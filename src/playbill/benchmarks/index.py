"""Recall of the champion's index: as built, after inserts and deletes, and built anew."""

from pathlib import Path
from typing import Any

import numpy as np

from playbill.app.clock import SystemClock
from playbill.app.learning import hardware
from playbill.app.verbs import Home
from playbill.benchmarks.churn import Catalogue, Newcomers, churn, with_newcomers
from playbill.benchmarks.prepare import Prepared, read_prepared
from playbill.benchmarks.recall import Asked, search
from playbill.benchmarks.world import (
    REGIONS,
    BenchWorld,
    OnStage,
    Records,
    means_of_histories,
    vectors_of,
)
from playbill.core import NotFound
from playbill.features import ItemTables, NoCheckpoint, load_checkpoint
from playbill.retrieval import CatalogueVectors, VectorIndex, rows_of_keys
from playbill.serving.bundle_model import BundleModel


def measure_index(
    folder: Path, inserts: int, deletes: int, queries: int, neighbours: int, on_stage: OnStage
) -> dict[str, Any]:
    """Return the share of the exactly nearest that three indexes find.

    One is the champion's. One is the same after ``inserts`` and ``deletes``, which reach it as they
    reach a worker's: through the annex, and through the flags that searches look at. One is built
    anew of what is visible then.

    Raises:
        InvalidInput: more is to be taken down than half of what is visible.
        NotFound: the home was not prepared, or its checkpoint is gone.
    """
    prepared = read_prepared(folder)
    world = BenchWorld(prepared.videos, prepared.viewers, prepared.seed, 0)
    random = np.random.default_rng([prepared.seed, 7])
    on_stage("item state", 0.0)
    vectors = vectors_of(world, prepared.videos + inserts, on_stage)
    living, tower = with_newcomers(world, vectors, _items(folder, prepared), random)
    asked = _asked(world, living, queries, min(neighbours, prepared.videos // 2))
    table = _champion(folder, prepared)
    table.extend(_tables(living, living.before), tower)
    on_stage("exact search", 0.0)
    built = search(living, table, asked, asked.exact(living, living.before))
    costs = _live(living, table, tower, deletes, random, on_stage)
    on_stage("exact search", 0.5)
    exact = asked.exact(living, len(living.items))
    filled = search(living, table, asked, exact)
    clock = SystemClock()
    started_s = clock.elapsed_s()
    anew = _built_anew(living, prepared.seed, on_stage)
    build_s = clock.elapsed_s() - started_s
    rebuilt = search(living, anew, asked, exact)
    difference, error = filled.ahead_of(rebuilt)
    effort = table.index.effort(asked.count)
    return {
        "hardware": hardware(),
        "videos": prepared.videos,
        "inserts": inserts,
        "deletes": deletes,
        "neighbours": asked.count,
        "queries": len(asked.queries),
        "lists": len(table.index.centroids),
        "lists_looked_into": min(effort[1], len(table.index.centroids)),
        "indexes": [
            built.row("as built"),
            filled.row("after inserts and deletes"),
            rebuilt.row("built anew"),
        ],
        "filled_less_rebuilt": difference,
        "interval_95": [round(difference - error, 4), round(difference + error, 4)],
        **costs,
        "build_s": round(build_s, 1),
    }


def _items(folder: Path, prepared: Prepared) -> Records:
    """Return the records of the prepared videos as the checkpoint has them, without later ones."""
    wiring = Home(folder).wiring
    state = load_checkpoint(wiring.layout.checkpoints, wiring.settings)
    if isinstance(state, NoCheckpoint):
        raise NotFound(
            f"{folder} has no item state: {state.why}",
            hint="remove the folder and prepare it again",
        )
    return state.items.used()[: prepared.videos]


def _asked(world: BenchWorld, living: Catalogue, queries: int, count: int) -> Asked:
    users = world.users(np.arange(min(queries, world.viewers)))
    means = means_of_histories(living.vectors, users)
    return Asked(means, np.arange(len(users)) % (len(REGIONS) + 1), count)


def _champion(folder: Path, prepared: Prepared) -> CatalogueVectors:
    store = Home(folder).bundles
    path, manifest = store.path(prepared.bundle), store.manifest(prepared.bundle)
    return BundleModel.load(path, prepared.bundle, manifest).vectors


def _tables(living: Catalogue, count: int) -> ItemTables:
    nobody = living.items[:0]
    return ItemTables(living.items[:count], nobody, nobody)


def _live(
    living: Catalogue,
    table: CatalogueVectors,
    tower: Newcomers,
    deletes: int,
    random: np.random.Generator,
    on_stage: OnStage,
) -> dict[str, Any]:
    """Let the catalogue change, with a look at it after each turn; return what that costs.

    The kernel that finds a newcomer's list is compiled before.
    """
    clock = SystemClock()
    table.index.lists_of(living.vectors[:1])
    inserts = len(living.items) - living.before
    looks_s, merges_s = list[float](), list[float]()
    for turn, count in enumerate(churn(living, deletes, random)):
        started_s = clock.elapsed_s()
        table.extend(_tables(living, count), tower)
        looked_s = clock.elapsed_s()
        looks_s.append(looked_s - started_s)
        if table.annex.crowded:
            table.annex.merge()
            merges_s.append(clock.elapsed_s() - looked_s)
        if turn % 20 == 0:
            on_stage("inserts and deletes", (count - living.before) / max(inserts, 1))
    on_stage("inserts and deletes", 1.0)
    return {
        "us_per_insert": round(sum(looks_s) * 1e6 / max(inserts, 1), 1),
        "look_p50_ms": round(float(np.median(looks_s or [0.0])) * 1e3, 3),
        "look_most_ms": round(max(looks_s, default=0.0) * 1e3, 3),
        "merges": len(merges_s),
        "merge_most_ms": round(max(merges_s, default=0.0) * 1e3, 3),
    }


def _built_anew(living: Catalogue, seed: int, on_stage: OnStage) -> CatalogueVectors:
    rows = living.visible
    index = VectorIndex.build(
        living.vectors[rows],
        living.items["key"][rows],
        seed,
        lambda share: on_stage("rebuild", share),
    )
    row_of_place = rows_of_keys(living.items, index.keys).astype(np.int32)
    row_of_place.flags.writeable = False
    return CatalogueVectors(index, row_of_place)
