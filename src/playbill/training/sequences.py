"""What each viewer took, in the order of time: retrieval learns from what came after what."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.features.layout import CLICKED, LIKED, LONG
from playbill.models import TASKS, kinds_of
from playbill.training.dataset import Rows

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_BITS = {"click": np.uint8(CLICKED), "long_view": np.uint8(LONG), "like": np.uint8(LIKED)}


@dataclass(frozen=True, slots=True)
class Sequences:
    """What viewers took, one viewer after the other, each in the order of time.

    ``items`` (E,) rows of videos; ``viewers`` (E,) numbers, ascending; ``kinds`` (E,) how they
    took to them, as the user tower counts.
    """

    items: Ints
    viewers: Ints
    kinds: Ints

    def __len__(self) -> int:
        return len(self.items)

    def starts(self) -> Ints:
        """Return (V + 1,) where each viewer's part begins, and where the last one ends."""
        begins = np.flatnonzero(np.diff(self.viewers, prepend=-1))
        return np.append(begins, len(self.viewers))

    def only(self, kept: Mask) -> "Sequences":
        """Return the parts at a mask."""
        return Sequences(self.items[kept], self.viewers[kept], self.kinds[kept])

    def before_last(self, left_out: int) -> "Sequences":
        """Return the sequences without the last few of each viewer."""
        starts = self.starts()
        ends = np.repeat(starts[1:], np.diff(starts))
        kept = np.arange(len(self)) < ends - left_out
        return self.only(kept)


def sequences_of(rows: Rows, chosen: Mask) -> Sequences:
    """Return what viewers clicked, viewed long or liked, and did not reject, among (N,) rows."""
    labels = {task: rows.labels[:, place] for place, task in enumerate(TASKS)}
    labels["long_view"] = rows.viewed_long
    took = (labels["click"] | labels["long_view"] | labels["like"]) & ~labels["negative"]
    places = np.flatnonzero(took & chosen)
    order = places[np.lexsort((places, rows.at_ms[places], rows.users[places]))]
    actions = np.zeros(len(order), np.uint8)
    for task, bit in _BITS.items():
        actions |= np.where(labels[task][order], bit, np.uint8(0))
    return Sequences(rows.items[order], rows.users[order], kinds_of(actions))
