"""What viewers take after what: counts that need no network, and serve within seconds of a log."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.retrieval import Transitions
from playbill.training.sequences import Sequences

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

WINDOW = 20
"""A video counts after each of so many that were taken before it."""
DISTANCE = 0.7
"""The k-th video after another counts k to the power of minus this."""
FROM_POPULAR, TO_POPULAR = 0.8, 0.2
"""How much of a video's own takes is taken off what follows it, and what it follows."""
MOST_FOLLOWERS = 128
_PAIRS_AT_ONCE = 1 << 22


def count_transitions(sequences: Sequences, size: int) -> Transitions:
    """Return what is taken after each of ``size`` videos, by row, strongest first.

    The sum over pairs of k^-0.7, k being how far one was taken after the other, over the first
    one's takes to the power of 0.8 and the second one's to the power of 0.2. A video's 128
    strongest are kept.

    Args:
        sequences: what viewers took.
        size: how many videos there are.

    Source: exponents chosen on the validation items of MovieLens 1M, docs/decisions/0029.
    """
    takes = np.bincount(sequences.items, minlength=size) + 1.0
    each = np.zeros(size + 1, np.int64)
    kept = [_Edges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for counted in _counted(sequences, size):
        fair = takes[counted.leading] ** -FROM_POPULAR * takes[counted.after] ** -TO_POPULAR
        strongest = _Edges(counted.leading, counted.after, counted.weight * fair).strongest()
        each[1:] += np.bincount(strongest.leading, minlength=size)
        kept.append(strongest)
    return Transitions(
        np.cumsum(each),
        np.concatenate([part.after for part in kept]).astype(np.int32),
        np.concatenate([part.weight for part in kept]).astype(np.float32),
    )


@dataclass(frozen=True, slots=True)
class _Edges:
    """E pairs: (E,) who leads, (E,) who comes after, (E,) what the pair weighs."""

    leading: Ints
    after: Ints
    weight: Doubles

    def strongest(self) -> "_Edges":
        """Return the strongest pairs of each that leads, by who leads, then by strength."""
        order = np.lexsort((self.after, -self.weight, self.leading))
        leading = self.leading[order]
        rank = np.arange(len(order)) - np.searchsorted(leading, leading)
        kept = order[rank < MOST_FOLLOWERS]
        return _Edges(self.leading[kept], self.after[kept], self.weight[kept])


def _counted(sequences: Sequences, size: int) -> Iterator[_Edges]:
    """Yield each pair once, with its sum, in ranges of who leads."""
    order = np.argsort(sequences.items, kind="stable")
    begins = np.searchsorted(sequences.items[order], np.arange(size + 1))
    first = 0
    while first < size:
        most = begins[first] + _PAIRS_AT_ONCE // WINDOW
        end = max(first + 1, int(np.searchsorted(begins, most, side="right")) - 1)
        leading, after, weight = _pairs(sequences, order[begins[first] : begins[end]])
        pair, place = np.unique((leading - first) * size + after, return_inverse=True)
        sums: Doubles = np.bincount(place, weights=weight, minlength=len(pair)).astype(np.float64)
        yield _Edges(first + pair // size, pair % size, sums)
        first = end


def _pairs(sequences: Sequences, places: Ints) -> tuple[Ints, Ints, Doubles]:
    """Return who leads and who follows in every pair that starts at some places, and its weight."""
    items, viewers = sequences.items, sequences.viewers
    leading, after, weight = list[Ints](), list[Ints](), list[Doubles]()
    for distance in range(1, WINDOW + 1):
        inside = places[places < len(items) - distance]
        same = viewers[inside] == viewers[inside + distance]
        other = items[inside] != items[inside + distance]
        inside = inside[same & other]
        leading.append(items[inside])
        after.append(items[inside + distance])
        weight.append(np.full(len(inside), float(distance) ** -DISTANCE))
    return np.concatenate(leading), np.concatenate(after), np.concatenate(weight)
