"""What chance placed counts by how seldom chance would have: what merit never shows is taught, too.

Source: docs/decisions/0047-what-chance-placed-may-count-more.md
"""

import numpy as np
import numpy.typing as npt

from playbill.contracts import TrainingSettings
from playbill.training.dataset import Rows
from playbill.training.shown import BY_CHANCE

Floats = npt.NDArray[np.float32]

LARGEST = 10.0
"""No row counts for more than so many of the usual ones that chance placed: a propensity that is
tiny says little, loudly."""


def weights_of(rows: Rows, training: TrainingSettings) -> Floats | None:
    """Return (N,) what rows weigh, None where all weigh the same.

    Rows that chance placed weigh ``training.explored_weight`` on average, each by one over its
    propensity, up to ten times the median; all others weigh 1.

    Args:
        rows: with the propensities that were logged.
        training: the recipe.

    Source: Horvitz and Thompson, A generalization of sampling without replacement from a finite
    universe, JASA 1952; Ionides, Truncated importance sampling, JCGS 2008, for the bound.
    """
    by_chance = (rows.propensity > 0.0) & (rows.propensity < BY_CHANCE)
    if training.explored_weight is None or not by_chance.any():
        return None
    seldom = 1.0 / rows.propensity[by_chance].astype(np.float64)
    seldom = np.minimum(seldom, LARGEST * np.median(seldom))
    weights = np.ones(len(rows), np.float32)
    weights[by_chance] = seldom * (training.explored_weight / seldom.mean())
    return weights
