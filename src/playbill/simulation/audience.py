"""Who comes next."""

import numpy as np

from playbill.simulation.columns import Floats
from playbill.simulation.regions import REGIONS
from playbill.simulation.world import World


class Audience:
    """One of ``shares`` disjoint parts of a world's viewers, so that threads need no lock.

    A viewer comes with a probability proportional to activity and to how awake the region is.

    Args:
        world: whose viewers.
        share: which part, from 0.
        shares: how many parts there are.
    """

    def __init__(self, world: World, share: int, shares: int) -> None:
        mine = np.arange(share, world.settings.users, shares)
        homes = world.viewers.region[mine]
        activity = world.viewers.activity
        self._world = world
        self._residents = [mine[homes == region] for region in range(len(REGIONS))]
        self._cumulative = [np.cumsum(activity[users]) for users in self._residents]
        self._totals: Floats = np.array([c[-1] if c.size else 0.0 for c in self._cumulative])

    def pick(self, at_ms: int, rng: np.random.Generator) -> int:
        """Return the row of the viewer who comes at an instant."""
        weights = np.cumsum(self._totals * self._world.awake(at_ms))
        draws = rng.random(2)
        region = int(np.searchsorted(weights, draws[0] * weights[-1], side="right"))
        cumulative = self._cumulative[region]
        place = int(np.searchsorted(cumulative, draws[1] * cumulative[-1], side="right"))
        return int(self._residents[region][min(place, cumulative.size - 1)])
