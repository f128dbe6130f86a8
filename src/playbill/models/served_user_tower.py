"""The user tower as a request asks it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features.layout import HISTORY
from playbill.models.runtimes import UserTower
from playbill.models.tasks import WIDTH
from playbill.models.user_history import KINDS, Lookup, history_inputs

Floats = npt.NDArray[np.float32]

_TOLERANCE = 1e-3


class ServedUserTower:
    """A viewer's vector, from what the viewer took to lately."""

    def __init__(self, tower: UserTower) -> None:
        self._tower = tower

    @classmethod
    def load(cls, path: Path) -> "ServedUserTower":
        """Return the tower of a file, tried on histories of every length.

        Raises:
            InvalidInput: it cannot be loaded, takes other inputs, or gives no unit vectors.
        """
        tower = UserTower.load(path)
        random = np.random.default_rng(0)
        for count in range(HISTORY + 1):
            vectors = random.normal(size=(count, WIDTH)).astype(np.float32)
            found = tower.vector(vectors / np.float32(8.0), random.integers(0, KINDS, count))
            if found.shape != (WIDTH,) or abs(float(found @ found) - 1.0) > _TOLERANCE:
                raise InvalidInput(
                    f"{path.name} gives no unit vector for a history of {count}",
                    hint="train again or restore the bundle",
                )
        return cls(tower)

    def vector(self, user: npt.NDArray[np.void], lookup: Lookup) -> Floats | None:
        """Return (64,) the unit vector of a viewer, None when it is not finite.

        Args:
            user: (1,) ``USER_RECORD``.
            lookup: where the vectors are; a video without one is left out.

        Raises:
            DependencyUnavailable: the runtime gave up.
        """
        found = self._tower.vector(*history_inputs(user, lookup))
        return found if np.isfinite(found).all() else None
