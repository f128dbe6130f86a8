"""Tables over the kernels: they grow, and they can be written down and read back."""

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS
from playbill.features import key_table_kernel as kernel

_SMALLEST = 1 << 10
_FULL = 2 / 3


class KeyTable:
    """Rows by 64-bit key."""

    def __init__(self) -> None:
        self._keys = np.zeros(_SMALLEST, np.uint64)
        self._values = np.zeros(_SMALLEST, np.int64)
        self._count = 0

    def find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return (N,) the row of each key, -1 where there is none."""
        rows = np.empty(len(keys), np.int64)
        kernel.find(self._keys, self._values, keys, rows)
        return rows

    def put(self, keys: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> None:
        """Insert keys that are not there yet, each with its row."""
        self._count += len(keys)
        if self._count > _FULL * len(self._keys):
            self._grow()
        kernel.put(self._keys, self._values, keys, rows)

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        size = len(keys)
        while self._count > _FULL * size:
            size *= 2
        self._keys = np.zeros(size, np.uint64)
        self._values = np.zeros(size, np.int64)
        kept = keys != 0
        kernel.put(self._keys, self._values, keys[kept], values[kept])


class RecentIds:
    """The 128-bit ids of the last day or two, in two generations.

    An id is remembered for at least ``keep_ms`` after the instant at which it was added, and for
    at most twice that.
    """

    def __init__(self, keep_ms: int = DAY_MS) -> None:
        self._keep_ms = keep_ms
        self.began_at_ms = 0
        self._counts = [0, 0]
        self.tables = [np.zeros((_SMALLEST, 2), np.uint64) for _ in range(2)]

    def add(self, ids: npt.NDArray[np.uint64], at_ms: int) -> npt.NDArray[np.bool_]:
        """Remember (N, 2) ids and return (N,) True for those not met before."""
        self._turn(at_ms)
        old = np.empty(len(ids), np.bool_)
        kernel.contains_ids(self.tables[1], ids, old)
        self._reserve(len(ids))
        fresh = np.empty(len(ids), np.bool_)
        self._counts[0] += kernel.add_ids(self.tables[0], ids, ~old, fresh)
        return fresh

    def restore(self, began_at_ms: int, tables: list[npt.NDArray[np.uint64]]) -> None:
        """Stand where another one stood."""
        self.began_at_ms = began_at_ms
        self.tables = tables
        self._counts = [int((table != 0).any(axis=1).sum()) for table in tables]

    def _turn(self, at_ms: int) -> None:
        """Begin a generation every ``keep_ms`` by the clock, however rarely ids come."""
        if self.began_at_ms == 0:
            self.began_at_ms = at_ms
        passed = max(0, (at_ms - self.began_at_ms) // self._keep_ms)
        for _ in range(min(passed, len(self.tables))):
            self.tables = [np.zeros((_SMALLEST, 2), np.uint64), self.tables[0]]
            self._counts = [0, self._counts[0]]
        self.began_at_ms += passed * self._keep_ms

    def _reserve(self, more: int) -> None:
        table = self.tables[0]
        size = len(table)
        while self._counts[0] + more > _FULL * size:
            size *= 2
        if size == len(table):
            return
        ids = table[(table != 0).any(axis=1)]
        self.tables[0] = np.zeros((size, 2), np.uint64)
        kernel.add_ids(
            self.tables[0], ids, np.ones(len(ids), np.bool_), np.empty(len(ids), np.bool_)
        )


def number_ids(
    ids: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (N,) a number for each of (N, 2) ids, and (K,) where each number first appears."""
    size = _SMALLEST
    while len(ids) > _FULL * size:
        size *= 2
    numbers = np.empty(len(ids), np.int64)
    firsts = np.empty(len(ids), np.int64)
    count = kernel.number_ids(
        np.zeros((size, 2), np.uint64), np.zeros(size, np.int64), ids, numbers, firsts
    )
    return numbers, firsts[:count]
