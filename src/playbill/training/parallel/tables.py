"""An embedding table spread over workers: looked up, and corrected where its rows live."""

import enum
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playbill.training.parallel.crew import Crew
from playbill.training.parallel.placing import Placement

_ROWS_OF_A_DRAW = 65_536
_EPS = 1e-8


class Rule(enum.StrEnum):
    """How a row is corrected by its gradient."""

    SGD = "sgd"
    ADAGRAD = "adagrad"
    """Row-wise: one sum of mean squares for all numbers of a row."""


class SpreadTable:
    """This worker's rows of a table, and all the others' through the crew.

    What a row begins as follows from seed, table and row alone, whoever holds it.

    Args:
        placement: where its rows live.
        crew: the workers.
        seed: of the first values.
        deviation: of the first values; row 0 is nothing, and stays 0.
        rule: of corrections.
        rate: learning rate; may be changed between steps.

    Source: Adagrad by rows: Gupta, Raghavan et al., Training recommender systems at scale (2020).
    """

    def __init__(
        self,
        placement: Placement,
        crew: Crew,
        seed: int,
        deviation: float,
        rule: Rule = Rule.ADAGRAD,
        rate: float = 0.05,
    ) -> None:
        self.placement, self.crew, self.rule, self.rate = placement, crew, rule, rate
        self.first, self.last = placement.stretch_of(crew.number)
        table = placement.table
        self.weights = _first_values(
            table.name, self.first, self.last, table.width, seed, deviation
        )
        self.squares = torch.zeros(self.last - self.first)
        self._bounds = torch.tensor(placement.bounds(crew.size)[1:], dtype=torch.int64)
        self._owner = None if placement.copied else self._single_owner()
        self._asked: list[tuple[Tensor, Tensor]] = []

    def lookup(self, rows: Tensor) -> Tensor:
        """Return (n, width) of (n,) distinct rows; what flows back through it is kept.

        A collective call.
        """
        vectors: Tensor = _Lookup.apply(  # type: ignore[no-untyped-call]
            torch.zeros(0, requires_grad=True), rows, self
        )
        return vectors

    def correct(self) -> None:
        """Apply what has flowed back since the last call, of all workers. A collective call."""
        width = self.weights.shape[1]
        rows = torch.cat([asked for asked, _ in self._asked] or [torch.zeros(0, dtype=torch.int64)])
        grads = torch.cat([found for _, found in self._asked] or [torch.zeros(0, width)])
        self._asked.clear()
        if self.placement.copied:
            rows, grads = self.crew.gathered(rows), self.crew.gathered(grads)
        else:
            order, counts = self._by_owner(rows)
            rows, incoming = self.crew.exchanged(rows[order], counts)
            grads = self.crew.sent(grads[order], counts, incoming)
        mine, place = torch.unique(rows, return_inverse=True)
        total = torch.zeros(len(mine), width).index_add_(0, place, grads)
        kept = mine > 0
        self._apply(mine[kept] - self.first, total[kept])

    def found(self, rows: Tensor) -> Tensor:
        """Return (n, width) of (n,) rows, wherever they live. A collective call."""
        if self.placement.copied:
            return self.weights[rows]
        order, counts = self._by_owner(rows)
        asked, incoming = self.crew.exchanged(rows[order], counts)
        vectors = self.crew.sent(self.weights[asked - self.first], incoming, counts)
        out = torch.empty(len(rows), self.weights.shape[1])
        out[order] = vectors
        return out

    def keep(self, rows: Tensor, grads: Tensor) -> None:
        """Keep what flowed back to some rows until the next correction."""
        self._asked.append((rows, grads))

    def _apply(self, places: Tensor, grads: Tensor) -> None:
        if self.rule is Rule.SGD:
            self.weights.index_add_(0, places, grads, alpha=-self.rate)
            return
        sums = self.squares[places] + grads.square().mean(dim=1)
        self.squares[places] = sums
        self.weights.index_add_(0, places, grads / (sums.sqrt() + _EPS)[:, None], alpha=-self.rate)

    def _by_owner(self, rows: Tensor) -> tuple[Tensor, list[int]]:
        """Return an order of rows by the worker that owns them, and how many each has."""
        if self._owner is not None:
            counts = [0] * self.crew.size
            counts[self._owner] = len(rows)
            return torch.arange(len(rows)), counts
        owners = torch.bucketize(rows, self._bounds, right=True)
        order = torch.argsort(owners, stable=True)
        return order, torch.bincount(owners, minlength=self.crew.size).tolist()

    def _single_owner(self) -> int | None:
        shards = self.placement.shards
        return shards[0].worker if len(shards) == 1 else None


class _Lookup(torch.autograd.Function):
    """Forward asks the owners; backward keeps the gradient for them."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, rows: Tensor, table: SpreadTable) -> Tensor:
        ctx.rows, ctx.table, ctx.anchor = rows, table, anchor
        return table.found(rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        ctx.table.keep(ctx.rows, grads[0])
        return torch.zeros_like(ctx.anchor), None, None


def _first_values(
    name: str, first: int, last: int, width: int, seed: int, deviation: float
) -> Tensor:
    """Return rows ``first`` to ``last`` - 1 of a table as they begin."""
    weights = torch.empty(last - first, width)
    salt = int.from_bytes(name.encode()[:8].ljust(8, b"\0"), "little")
    block = first // _ROWS_OF_A_DRAW
    while block * _ROWS_OF_A_DRAW < last:
        begin = block * _ROWS_OF_A_DRAW
        random = np.random.Generator(np.random.Philox(key=[seed, salt ^ block]))
        drawn = random.standard_normal((_ROWS_OF_A_DRAW, width), np.float32) * np.float32(deviation)
        low, high = max(begin, first), min(begin + _ROWS_OF_A_DRAW, last)
        weights[low - first : high - first] = torch.from_numpy(drawn[low - begin : high - begin])
        block += 1
    if first == 0 < last:
        weights[0] = 0.0
    return weights
