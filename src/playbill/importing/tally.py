"""Counting what a reader read and what it left out, while it reads."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Kind: TypeAlias = Literal["videos", "users", "events"]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

MAX_EXAMPLES = 5


@dataclass(slots=True)
class Reason:
    """One way in which rows were unusable."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    """(row, message) of the first few; messages never hold a viewer's id."""

    def add(self, rows: Iterable[int], message: str, count: int) -> None:
        """Count rows and keep the first few as examples."""
        self.count += count
        for row in rows:
            if len(self.examples) >= MAX_EXAMPLES:
                return
            self.examples.append((int(row), message))


@dataclass(slots=True)
class Count:
    """What became of the rows of one kind, so far."""

    read: int = 0
    duplicates: int = 0
    expected: int | None = None
    """How many bodies will be yielded, once that is known."""
    reasons: dict[str, Reason] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Return how many rows were left out, duplicates not among them."""
        return sum(reason.count for reason in self.reasons.values())

    def reject(self, code: str, message: str, row: int) -> None:
        """Count one unusable row.

        Args:
            code: stable name of the reason, ``snake_case``.
            message: what was wrong and what was expected, without any id of a viewer.
            row: its place among the rows of its file, from 1.
        """
        self.reasons.setdefault(code, Reason()).add((row,), message, 1)

    def reject_rows(self, code: str, message: str, rows: Ints) -> None:
        """Count (R,) unusable rows, numbered from 1, that share a reason."""
        if rows.size:
            head = rows[:MAX_EXAMPLES].tolist()
            self.reasons.setdefault(code, Reason()).add(head, message, int(rows.size))


class Tally:
    """The counts of one reader. Reading a kind again starts its count anew."""

    def __init__(self) -> None:
        self._counts: dict[Kind, Count] = {}

    def start(self, kind: Kind) -> Count:
        """Return an empty count for a kind that is about to be read."""
        self._counts[kind] = Count()
        return self._counts[kind]

    def count(self, kind: Kind) -> Count | None:
        """Return the count of a kind, or None while it was not read."""
        return self._counts.get(kind)


@runtime_checkable
class Tallied(Protocol):
    """A history that tells what it read beside what it yields."""

    @property
    def tally(self) -> Tally:
        """Return its counts, complete once its iterators are exhausted."""
        ...


@dataclass(slots=True)
class Screen:
    """Takes rows of a table out, one question at a time; the first reason that fits counts."""

    count: Count
    alive: Mask
    """(N,) bool, True where no reason has been found yet."""
    prefix: str = ""
    """Goes before every code, where two tables of one kind are numbered apart."""

    def refuse(self, bad: Mask, code: str, message: str) -> None:
        """Take out the rows where ``bad``, (N,) bool, is True."""
        hit = bad & self.alive
        self.count.reject_rows(self.prefix + code, message, np.flatnonzero(hit) + 1)
        self.alive &= ~hit

    def drop_repeated(self, *columns: Ints) -> None:
        """Take out, as duplicates, rows that repeat an earlier one in all (N,) columns."""
        rows = np.flatnonzero(self.alive)
        kept = [column[rows] for column in columns]
        order = np.lexsort(kept)
        same = np.ones(max(rows.size - 1, 0), dtype=np.bool_)
        for column in kept:
            ordered = column[order]
            same &= ordered[1:] == ordered[:-1]
        later = rows[order[1:][same]]
        self.count.duplicates += int(later.size)
        self.alive[later] = False
