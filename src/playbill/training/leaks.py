"""A feature that alone tells the labels apart was read after them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training.metrics import auc

SUSPICIOUS_AUC = 0.95
"""No honest counter of a feed comes near it; a label that found its way into a feature does."""
_FEWEST_POSITIVES = 30
_LOOKED_AT = 50_000


def leak_suspects(
    dense: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return the features that alone order a task's rows almost perfectly, either way round.

    Args:
        dense: (N, F) features; the last 50,000 rows are looked at.
        labels: (N, 4) by ``TASKS``; a task with fewer than 30 rows of a class is passed over.
    """
    dense, labels = dense[-_LOOKED_AT:], labels[-_LOOKED_AT:]
    suspects = []
    for k, task in enumerate(TASKS):
        positives = int(labels[:, k].sum())
        if min(positives, len(labels) - positives) < _FEWEST_POSITIVES:
            continue
        for place, name in enumerate(FEATURE_NAMES):
            found = auc(labels[:, k], dense[:, place])
            if found is not None and max(found, 1.0 - found) >= SUSPICIOUS_AUC:
                suspects.append({"feature": name, "task": task, "auc": round(found, 4)})
    return suspects
