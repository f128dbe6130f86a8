"""What a ranker is asked about rows of a data set, and the network that fits them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playbill.contracts import Settings
from playbill.features import FEATURE_NAMES
from playbill.models import INTERESTS
from playbill.models.curves import STRETCHES
from playbill.models.interest_network import InterestedRanker, InterestNetwork
from playbill.models.networks import RankerNetwork, RankerShape
from playbill.training.dataset import Histories, Rows

Places = npt.NDArray[np.int64]

FEWEST_SHOWN = 5
"""A video that fewer rows show has no coordinates in the space of interests."""
MOST_VIDEOS = 1 << 20
_SCORED_ROWS = 4_096
_CURVE_ROWS = 200_000
"""Rows, spread evenly over those that train, that say where curves bend."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """What a ranker does without.

    ``columns`` of ``FEATURE_NAMES``; ``ids``: videos' coordinates in the space of interests;
    ``crossing`` of interests with the candidate; ``calibration`` on the rows that choose.
    """

    columns: tuple[str, ...] = ()
    ids: bool = False
    crossing: bool = False
    calibration: bool = False

    def silent(self) -> list[int]:
        """Return columns of the ranker's input that it does not see."""
        crossed = range(len(FEATURE_NAMES) + INTERESTS, len(FEATURE_NAMES) + 2 * INTERESTS)
        named = [FEATURE_NAMES.index(name) for name in self.columns]
        return named + (list(crossed) if self.crossing else [])


NOTHING = Ablation()


@dataclass(frozen=True, slots=True)
class RankerRows:
    """What a ranker is asked about rows: features, codes, and histories where it reads them."""

    rows: Rows
    histories: Histories | None
    without: Ablation = NOTHING

    def of(self, part: Places) -> list[Tensor]:
        """Return the arguments of ``InterestedRanker`` for some rows."""
        rows, histories = self.rows, self.histories
        asked: list[npt.NDArray[Any]] = [rows.dense[part], rows.categories[part]]
        if histories is not None:
            snapshots = rows.snapshots[part]
            recent = histories.items[snapshots].astype(np.int64)
            asked += [rows.items[part], recent, histories.actions[snapshots].astype(np.int64)]
        return [torch.from_numpy(array) for array in asked]

    def interest_places(self, train: Places) -> Places:
        """Return (I,) place + 1 of the videos that enough rows show to learn of, 0 else.

        The million that are shown most are learned of.

        Args:
            train: rows that train.
        """
        rows, histories = self.rows, self.histories
        known = 0 if histories is None else int(histories.items.max(initial=0))
        size = 1 + max(int(rows.items.max(initial=0)), known)
        shown = np.bincount(rows.items[train], minlength=size)
        often = np.flatnonzero(shown >= FEWEST_SHOWN)[: 0 if self.without.ids else None]
        if len(often) > MOST_VIDEOS:
            often = np.sort(often[np.argsort(-shown[often], kind="stable")[:MOST_VIDEOS]])
        places = np.zeros(size, np.int64)
        places[often] = np.arange(1, len(often) + 1)
        return places


def network_of(
    inputs: RankerRows, train: Places, settings: Settings, hidden: tuple[int, ...]
) -> InterestedRanker:
    """Return the network that fits some rows, with the moments of those that train."""
    rows = inputs.rows
    mean, deviation = moments(rows.dense, train)
    topics = int(rows.categories[train, 2].max(initial=0)) + 1
    sizes = (len(settings.surfaces) + 1, len(settings.regions) + 1, topics)
    interests = None
    if inputs.histories is not None:
        interests = InterestNetwork(inputs.interest_places(train))
        as_they_are = np.zeros(2 * INTERESTS, np.float32)
        mean = np.concatenate([mean, as_they_are])
        deviation = np.concatenate([deviation, as_they_are + np.float32(1.0)])
    deviation[inputs.without.silent()] = 0.0
    shape = RankerShape(len(mean), sizes, hidden, stretches=STRETCHES if hidden else 0)
    network = RankerNetwork(shape, mean, deviation)
    if hidden:
        some = train[:: -(-len(train) // _CURVE_ROWS)]
        network.bend_at(torch.from_numpy(rows.dense[some]))
    return InterestedRanker(network, interests)


def moments(
    dense: npt.NDArray[np.float32], places: Places
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return (F,) mean and (F,) standard deviation over some rows, summed in double precision."""
    parts = np.split(places, range(_SCORED_ROWS, len(places), _SCORED_ROWS))
    mean = sum(dense[part].sum(axis=0, dtype=np.float64) for part in parts) / len(places)
    squares = sum(np.square(dense[part] - mean).sum(axis=0) for part in parts) / len(places)
    return mean.astype(np.float32), np.sqrt(squares).astype(np.float32)


def score_logits(
    network: InterestedRanker, inputs: RankerRows, places: Places
) -> npt.NDArray[np.float32]:
    """Return (n, 4) logits of some rows."""
    network.eval()
    with torch.no_grad():
        parts = [
            network(*inputs.of(part))
            for part in np.split(places, range(_SCORED_ROWS, len(places), _SCORED_ROWS))
        ]
    logits: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return logits
