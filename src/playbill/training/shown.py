"""Served feeds as they were decided: which place was given to chance, and with what probability."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from playbill.contracts import TIER_CODES, Tier
from playbill.training.dataset import Dataset

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_RANKED = [TIER_CODES[tier] for tier in (Tier.FULL, Tier.LIGHT)]
"""Tiers whose places were chosen on merit or by chance; the lower ones go by lists."""
BY_CHANCE = 0.5
"""A place with a smaller propensity was given to chance; merit has one less the share of chance."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How N rows of a data set came to be shown; only those that this system ranked.

    ``rows`` (N,) their places in the data set, feed after feed and place after place; ``feeds``
    (N,) a number a feed; ``positions`` (N,) from 0; ``propensity`` (N,) as logged; ``by_chance``
    (N,); ``share`` (N,) of chance in the row's feed, 0 where it did not explore, NaN where every
    place was given to chance.
    """

    rows: Ints
    feeds: Ints
    positions: Ints
    propensity: Doubles
    by_chance: Mask
    share: Doubles

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Mask) -> "Shown":
        """Return the rows at a mask."""
        return Shown(*(getattr(self, name)[chosen] for name in self.__slots__))


def shown_of(dataset: Dataset) -> Shown:
    """Return every place of the feeds that this system ranked, in the order of feeds.

    Raises:
        InvalidInput: columns are missing or unknown.
        DependencyUnavailable: the table is gone or damaged.
    """
    found = dataset.columns("row_id", "request", "position", "propensity", "tier")
    ranked = pc.is_in(found["tier"], value_set=pa.array(_RANKED, found["tier"].type))
    served = found.filter(ranked).sort_by([("request", "ascending"), ("position", "ascending")])
    propensity = served["propensity"].to_numpy().astype(np.float64)
    _, feeds = np.unique(served["request"].to_numpy(), return_inverse=True)
    by_chance: Mask = propensity < BY_CHANCE
    return Shown(
        served["row_id"].to_numpy().astype(np.int64),
        feeds.astype(np.int64),
        served["position"].to_numpy().astype(np.int64),
        propensity,
        by_chance,
        _share(feeds, propensity, by_chance),
    )


def _share(feeds: Ints, propensity: Doubles, by_chance: Mask) -> Doubles:
    """Return (N,) the share of chance in each row's feed: what its places of merit are short of 1.

    Places that a floor keeps have a propensity of 1 and say nothing, unless all places have.
    """
    size = int(feeds.max(initial=-1)) + 1
    merit = np.full(size, np.inf)
    np.minimum.at(merit, feeds[~by_chance], propensity[~by_chance])
    share: Doubles = 1.0 - merit
    share[np.isinf(merit)] = np.nan
    return share[feeds]
