"""The workers of a training, and the few ways in which they speak to each other."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Crew:
    """One worker's view: its ``number`` among ``size``. A crew of one speaks to nobody.

    Collective calls: every worker makes each of them, in the same order, or all fail once the time
    limit has passed.
    """

    number: int = 0
    size: int = 1

    @classmethod
    def joined(cls, timeout_s: float) -> "Crew":
        """Return this process's place in the group that ``torchrun`` has started.

        Args:
            timeout_s: a call that takes longer fails, and with it the worker.
        """
        dist.init_process_group("gloo", timeout=timedelta(seconds=timeout_s))
        return cls(dist.get_rank(), dist.get_world_size())

    def __enter__(self) -> "Crew":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Leave the group, unless something failed: then whoever started it ends it."""
        if kind is None and self.size > 1:
            dist.destroy_process_group()

    def exchanged(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Return what the others have for this worker, and how many rows each of them sent.

        Args:
            rows: (N, ...) for worker 0, then for worker 1, and so on.
            counts: how many are for each.
        """
        if self.size == 1:
            return rows, list(counts)
        theirs = torch.empty(self.size, dtype=torch.int64)
        dist.all_to_all_single(theirs, torch.tensor(counts, dtype=torch.int64))
        incoming = theirs.tolist()
        return self.sent(rows, counts, incoming), incoming

    def sent(self, rows: Tensor, counts: Sequence[int], incoming: Sequence[int]) -> Tensor:
        """Return what the others send, where it is known how many rows each of them does."""
        if self.size == 1:
            return rows
        found = rows.new_empty((sum(incoming), *rows.shape[1:]))
        dist.all_to_all_single(found, rows.contiguous(), list(incoming), list(counts))
        return found

    def summed(self, tensor: Tensor) -> Tensor:
        """Return the sum over workers, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def gathered(self, rows: Tensor) -> Tensor:
        """Return the rows of worker 0, then of worker 1, and so on."""
        if self.size == 1:
            return rows
        here = torch.tensor([len(rows)], dtype=torch.int64)
        sizes = [torch.empty(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(sizes, here)
        counts = [int(size) for size in sizes]
        return self.sent(
            rows.repeat(self.size, *[1] * (rows.dim() - 1)), [len(rows)] * self.size, counts
        )

    def largest(self, value: int) -> int:
        """Return the largest value of any worker."""
        if self.size == 1:
            return value
        found = torch.tensor([value], dtype=torch.int64)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return int(found)

    def wait(self) -> None:
        """Return when every worker is here."""
        if self.size > 1:
            dist.barrier()


def leave() -> NoReturn:
    """End this process, all of whose work is on disk, without taking torch's threads down.

    Python's usual end lets the destructors of static C++ objects run beside threads that torch does
    not join. Under load they now and then call ``std::terminate``, and a crew whose work is done
    counts as lost.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
