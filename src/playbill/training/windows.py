"""Sequences cut into windows that the user tower can hold, and laid side by side in batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.training.sequences import Sequences

Ints = npt.NDArray[np.int64]

_ALIKE = 4
"""Windows whose lengths differ by less go together by chance."""


@dataclass(frozen=True, slots=True)
class Windows:
    """W stretches of sequences; each begins with the last video of the one before it.

    ``begins`` (W,) places; ``lengths`` (W,), 1 or more; ``opens`` (W,) True where a viewer's first
    video is the window's.
    """

    begins: Ints
    lengths: Ints
    opens: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """B windows side by side, T the longest.

    ``items`` and ``kinds`` (B, T), 0 where a window has ended; ``asked`` (B, T) True where a video
    is to be foretold from those before it.
    """

    items: Ints
    kinds: Ints
    asked: npt.NDArray[np.bool_]


def cut(sequences: Sequences, most: int, random: np.random.Generator) -> Windows:
    """Return windows of at most ``most`` + 1 videos; where the cuts fall is drawn for each viewer.

    Every video is foretold in one window: a viewer's first from nothing, the others from those
    that stand before them in their window.
    """
    starts = sequences.starts()
    sizes = np.diff(starts)
    offsets = random.integers(1, most + 1, len(sizes))
    counts = 1 + np.maximum(-(-(sizes - 1 - offsets) // most), 0)
    viewer = np.repeat(np.arange(len(sizes)), counts)
    number = np.arange(len(viewer)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.where(number == 0, 0, offsets[viewer] + (number - 1) * most)
    end = np.minimum(offsets[viewer] + number * most, sizes[viewer] - 1)
    return Windows(starts[viewer] + first, end - first + 1, number == 0)


def batches(
    sequences: Sequences, windows: Windows, videos: int, random: np.random.Generator
) -> Iterator[Batch]:
    """Yield windows of like lengths together, in an order drawn by chance.

    Args:
        sequences: that were cut.
        windows: of them.
        videos: of a batch at most, the room of windows that have ended counted; one window at
            least.
        random: of the order.
    """
    order = np.argsort(windows.lengths + _ALIKE * random.random(len(windows.lengths)))
    groups, first = list[Ints](), 0
    while first < len(order):
        # Lengths ascend but for a jitter, so the longest of as many as would fit is known to it.
        size = max(1, videos // int(windows.lengths[order[first]]))
        longest = int(windows.lengths[order[first : first + size]].max())
        size = max(1, videos // longest)
        groups.append(order[first : first + size])
        first += size
    for place in random.permutation(len(groups)):
        yield _side_by_side(sequences, windows, groups[place])


def _side_by_side(sequences: Sequences, windows: Windows, chosen: Ints) -> Batch:
    begins, lengths = windows.begins[chosen], windows.lengths[chosen]
    step = np.arange(int(lengths.max()))[None, :]
    there = step < lengths[:, None]
    places = np.where(there, begins[:, None] + step, 0)
    asked = there.copy()
    asked[:, 0] = windows.opens[chosen]
    return Batch(
        np.where(there, sequences.items[places], 0),
        np.where(there, sequences.kinds[places], 0),
        asked,
    )
