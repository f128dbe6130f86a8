"""The same seed, threads and rows give the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def repeatable(seed: int, threads: int) -> Iterator[None]:
    """Run torch with fixed randomness, fixed threads and deterministic algorithms, then restore.

    Bits are repeated on one kind of machine with one thread count; both are in the manifest.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(threads)
        memory.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.set_num_threads(before[1])
            memory.fill_uninitialized_memory = filled
