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


def weights_of(
    rows: Rows, train: npt.NDArray[np.int64], training: TrainingSettings
) -> Floats | None:
    """Return (N,) what rows weigh, None where all weigh the same.

    Rows that chance placed weigh ``training.explored_weight`` on average, each by one over its
    propensity, up to ten times the median; all others weigh 1.

    Args:
        rows: with the propensities that were logged.
        train: (T,) places of those that train; what is usual is learned from them.
        training: the recipe.

    Source: Horvitz and Thompson, A generalization of sampling without replacement from a finite
    universe, JASA 1952; Ionides, Truncated importance sampling, JCGS 2008, for the bound.
    """
    by_chance = (rows.propensity > 0.0) & (rows.propensity < BY_CHANCE)
    if training.explored_weight is None or not by_chance[train].any():
        return None
    seldom = 1.0 / np.where(by_chance, rows.propensity, 1.0).astype(np.float64)
    usual = seldom[train][by_chance[train]]
    most = LARGEST * np.median(usual)
    mean = np.minimum(usual, most).mean()
    weighed = np.minimum(seldom, most) * (training.explored_weight / mean)
    return np.where(by_chance, weighed, 1.0).astype(np.float32)
