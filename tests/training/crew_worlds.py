"""Small catalogues and sequences for crews; run by ``torchrun`` it is a crew that compares plans.

``python -m torch.distributed.run --nproc-per-node 2 crew_worlds.py FOLDER``
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch

from playbill.models.networks import ItemColumns
from playbill.training.parallel.crew import Crew, leave
from playbill.training.parallel.placing import Plan
from playbill.training.parallel.spread_towers import SpreadRecipe, SpreadTowers
from playbill.training.parallel.tables import Rule
from playbill.training.sequences import Sequences

VIDEOS, VIEWERS = 301, 40
SIZES = 3, 4
"""Buckets of languages and durations."""
STEPS = 100
RULES = {Rule.SGD: (0.1, 0.01), Rule.ADAGRAD: (0.01, 0.001)}
"""Rates of tables and of the user tower."""


def small_world(seed: int = 0) -> tuple[Sequences, ItemColumns]:
    """Return what 40 viewers took of 301 videos, with rows of every table unevenly many."""
    random = np.random.default_rng(seed)
    sizes = random.integers(2, 25, VIEWERS)
    viewers = np.repeat(np.arange(VIEWERS), sizes)
    items = (random.integers(0, 30, len(viewers)) * 10 + viewers % 10) % VIDEOS
    kinds = random.integers(0, 4, len(viewers))
    topics = random.integers(0, 8, (VIDEOS, 4))
    columns = ItemColumns(
        topics=topics,
        authors=random.integers(0, 41, VIDEOS),
        words=random.integers(0, 60, (VIDEOS, 12), np.int32),
        languages=random.integers(0, SIZES[0], VIDEOS),
        durations=random.integers(0, SIZES[1], VIDEOS),
        residuals=np.where(np.arange(VIDEOS) % 7, np.arange(VIDEOS) + 1, 0),
    )
    return Sequences(items, viewers, kinds), columns


def recipe(rule: Rule) -> SpreadRecipe:
    rate, dense_rate = RULES[rule]
    return SpreadRecipe(
        seed=3, passes=40, videos=131, negatives=32, rule=rule, rate=rate,
        dense_rate=dense_rate, user_dropout=0.0, warm_up=10,
    )  # fmt: skip


def trained(plan: Plan, rule: Rule, crew: Crew, steps: int = STEPS) -> tuple[SpreadTowers, list]:
    """Return towers after some steps, and the loss of each."""
    towers = SpreadTowers(*small_world(), SIZES, plan, recipe(rule), crew)
    losses: list[float] = []
    number = 0
    while len(losses) < steps:
        for batch in towers.batches(number):
            if len(losses) < steps:
                losses.append(towers.step(batch, len(losses), steps))
        number += 1
    return towers, losses


def weights(towers: SpreadTowers) -> dict[str, np.ndarray]:
    """Return all rows of every table, and the user tower's parameters. A collective call."""
    found = {
        name: table.found(torch.arange(table.placement.table.rows)).numpy()
        for name, table in towers.tables.items()
    }
    user = {f"user.{name}": each.detach().numpy() for name, each in towers.user.named_parameters()}
    return {**found, **user}


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    with Crew.joined(60.0) as crew:
        for rule in RULES:
            for plan in Plan:
                towers, losses = trained(plan, rule, crew)
                found = weights(towers)
                held = {name: [table.first, table.last] for name, table in towers.tables.items()}
                stem = f"{rule}-{plan}-{crew.number}"
                np.savez(folder / f"{stem}.npz", **found)
                (folder / f"{stem}.json").write_text(json.dumps({"losses": losses, "held": held}))


if __name__ == "__main__":
    assert "WORLD_SIZE" in os.environ
    main()
    leave()
