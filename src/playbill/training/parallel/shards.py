"""Checkpoints of a crew: each worker writes what it holds; any other crew can go on from them."""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from playbill.core import DependencyUnavailable, InvalidInput
from playbill.core.durable import replace_file, sync_folder
from playbill.training.parallel.placing import Shard, Table, check_cover
from playbill.training.parallel.spread_towers import SpreadTowers

_KEPT = 2
"""Checkpoints that are kept; older ones are removed once a new one is whole."""
_INDEX = "checkpoint.json"
_DENSE = "dense.pt"
_PREFIX = "step-"


class Stretch(msgspec.Struct, frozen=True):
    """Rows of a table in one file, and their Adagrad sums in another."""

    first: int
    last: int
    weights: str
    squares: str


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint holds; written last."""

    step: int
    identity: dict[str, Any]
    curve: list[float]
    """Loss of every step so far."""
    tables: dict[str, list[Stretch]]
    rows: dict[str, int]
    width: int


def save(folder: Path, towers: SpreadTowers, identity: dict[str, Any], curve: list[float]) -> Path:
    """Write a checkpoint of the crew; it is there once all of it is on the disk.

    A collective call.

    Raises:
        DependencyUnavailable: this worker's disk refused; the checkpoint before it is as it was.
    """
    crew, step = towers.crew, len(curve)
    path = folder / f"{_PREFIX}{step:09d}"
    draft = path.with_name(f".{path.name}.draft")
    try:
        if crew.number == 0:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
        crew.wait()
        _write_tables(draft, towers)
        if crew.number == 0:
            state = {"user": towers.user.state_dict(), "optimiser": towers.optimiser.state_dict()}
            replace_file(draft / _DENSE, lambda file: torch.save(state, file))
        crew.wait()
        if crew.number == 0:
            _write_index(draft, towers, identity, curve)
            shutil.rmtree(path, ignore_errors=True)
            draft.rename(path)
            sync_folder(folder)
            for old in _checkpoints(folder)[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
        crew.wait()
    except (OSError, RuntimeError) as error:
        raise DependencyUnavailable(
            f"the checkpoint {path} cannot be written: {error}",
            hint="free space; the checkpoint before it is still there",
        ) from error
    return path


def latest(folder: Path) -> Path | None:
    """Return the newest whole checkpoint of a folder, None for none."""
    found = _checkpoints(folder)
    return found[-1] if found else None


def read_index(path: Path) -> Index:
    """Return what a checkpoint holds.

    Raises:
        InvalidInput: it is damaged, or a row of a table is not in exactly one of its files.
    """
    try:
        index = msgspec.json.decode((path / _INDEX).read_bytes(), type=Index)
    except (OSError, msgspec.DecodeError) as error:
        raise _damaged(path, error) from error
    for name, stretches in index.tables.items():
        shards = [Shard(n, each.first, each.last) for n, each in enumerate(stretches)]
        check_cover(Table(name, index.rows[name], index.width), shards)
    return index


def restore(path: Path, towers: SpreadTowers) -> list[float]:
    """Take a checkpoint over, each worker the rows it holds now; return the losses so far.

    Raises:
        InvalidInput: it is damaged, or of other tables.
    """
    index = read_index(path)
    sizes = {name: placement.table.rows for name, placement in towers.placements.items()}
    if sizes != index.rows:
        raise InvalidInput(
            f"the checkpoint {path} has tables of {index.rows} rows; these are of {sizes}",
            hint="begin anew: the data set has changed",
        )
    try:
        for name, table in towers.tables.items():
            for stretch in index.tables[name]:
                low, high = max(stretch.first, table.first), min(stretch.last, table.last)
                if low < high:
                    here = slice(low - table.first, high - table.first)
                    there = slice(low - stretch.first, high - stretch.first)
                    table.weights[here] = _mapped(path / stretch.weights, there)
                    table.squares[here] = _mapped(path / stretch.squares, there)
        dense = torch.load(path / _DENSE, weights_only=True)
        towers.user.load_state_dict(dense["user"])
        towers.optimiser.load_state_dict(dense["optimiser"])
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise _damaged(path, error) from error
    return list(index.curve)


def _mapped(path: Path, rows: slice) -> Tensor:
    """Return some rows of a file, reading no others."""
    return torch.from_numpy(np.load(path, mmap_mode="r", allow_pickle=False)[rows].copy())


def _write_tables(draft: Path, towers: SpreadTowers) -> None:
    """Write the rows that this worker answers for: of a copied table the first worker does."""
    for name, table in towers.tables.items():
        if table.last > table.first and (not table.placement.copied or towers.crew.number == 0):
            stretch = _stretch(name, table.first, table.last)
            for file, values in (
                (stretch.weights, table.weights),
                (stretch.squares, table.squares),
            ):
                with (draft / file).open("wb") as target:
                    np.save(target, values.numpy(), allow_pickle=False)
                    target.flush()
                    os.fsync(target.fileno())


def _write_index(
    draft: Path, towers: SpreadTowers, identity: dict[str, Any], curve: list[float]
) -> None:
    tables = {}
    for name, placement in towers.placements.items():
        shards = placement.shards[:1] if placement.copied else placement.shards
        tables[name] = [_stretch(name, shard.first, shard.last) for shard in shards]
    index = Index(
        step=len(curve),
        identity=identity,
        curve=curve,
        tables=tables,
        rows={name: placement.table.rows for name, placement in towers.placements.items()},
        width=next(iter(towers.placements.values())).table.width,
    )
    replace_file(draft / _INDEX, msgspec.json.encode(index))


def _stretch(name: str, first: int, last: int) -> Stretch:
    stem = f"{name}-{first}-{last}"
    return Stretch(first, last, f"{stem}.npy", f"{stem}-squares.npy")


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{_PREFIX}*") if (path / _INDEX).is_file())


def _damaged(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"the checkpoint {path} cannot be read: {error}",
        hint="remove it; the one before it is used then",
    )
