"""Where the rows of embedding tables live among workers: each exactly once, or everywhere."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from playbill.core import BrokenContract

COPIED_AT_MOST = 100_000
"""Rows of a table that the hybrid plan copies to every worker."""


class Plan(enum.StrEnum):
    """How a training is spread over workers. Batches are split in every one of them."""

    DATA = "data"
    """Every table is copied to every worker."""
    ROWS = "rows"
    """Every table is cut into one stretch of rows a worker."""
    TABLES = "tables"
    """Every table lives whole on one worker."""
    HYBRID = "hybrid"
    """Large tables are cut into rows, small ones are copied."""


@dataclass(frozen=True, slots=True)
class Table:
    """An embedding table: ``rows`` vectors of ``width`` numbers of four bytes."""

    name: str
    rows: int
    width: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows ``first`` to ``last`` - 1 of a table, on a worker."""

    worker: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one table lives. ``copied`` says that every worker has all rows."""

    table: Table
    copied: bool
    shards: tuple[Shard, ...]

    def stretch_of(self, worker: int) -> tuple[int, int]:
        """Return the first row that a worker holds and the one after its last."""
        for shard in self.shards:
            if shard.worker == worker:
                return shard.first, shard.last
        return 0, 0

    def bounds(self, workers: int) -> list[int]:
        """Return workers + 1 bounds: worker w owns the rows from the w-th to the next."""
        found = [0] * (workers + 1)
        for worker in range(workers):
            first, last = self.stretch_of(worker)
            found[worker + 1] = max(last, found[worker]) if last > first else found[worker]
        return found


def place(tables: Sequence[Table], workers: int, plan: Plan) -> dict[str, Placement]:
    """Return where each table lives, by name.

    Whole tables go to the worker with the least so far, the largest first.

    Raises:
        BrokenContract: a row would have no place, or two.
    """
    load = [0] * workers
    found = {}
    for table in sorted(tables, key=lambda each: (-each.rows * each.width, each.name)):
        if plan is Plan.DATA or (plan is Plan.HYBRID and table.rows <= COPIED_AT_MOST):
            shards = tuple(Shard(worker, 0, table.rows) for worker in range(workers))
            found[table.name] = Placement(table, True, shards)
        elif plan is Plan.TABLES:
            owner = load.index(min(load))
            load[owner] += table.rows * table.width
            found[table.name] = Placement(table, False, (Shard(owner, 0, table.rows),))
        else:
            cuts = [table.rows * worker // workers for worker in range(workers + 1)]
            shards = tuple(
                Shard(worker, cuts[worker], cuts[worker + 1])
                for worker in range(workers)
                if cuts[worker + 1] > cuts[worker]
            )
            found[table.name] = Placement(table, False, shards)
    for placement in found.values():
        check_cover(placement.table, placement.shards, copied=placement.copied, workers=workers)
    return {table.name: found[table.name] for table in tables}


def check_cover(
    table: Table, shards: Sequence[Shard], *, copied: bool = False, workers: int = 0
) -> None:
    """Return if every row of a table is in exactly one shard, or in one of every worker.

    Raises:
        BrokenContract: a row has no place, or two.
    """
    if copied:
        whole = [(shard.worker, shard.first, shard.last) for shard in shards]
        if sorted(whole) != [(worker, 0, table.rows) for worker in range(workers)]:
            raise BrokenContract(f"{table.name} is not whole on every worker: {whole}")
        return
    at = 0
    for shard in sorted(shards, key=lambda each: each.first):
        if shard.first != at or shard.last <= shard.first:
            raise BrokenContract(
                f"row {min(at, shard.first)} of {table.name} is not in exactly one shard: "
                f"{[(each.first, each.last) for each in shards]}"
            )
        at = shard.last
    if at != table.rows:
        raise BrokenContract(f"rows {at} to {table.rows - 1} of {table.name} are in no shard")
