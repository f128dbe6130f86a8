"""How good scores are: exact ties, groups, weights. Pure arithmetic over columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32] | Doubles

_SMALLEST_P = 1e-7


def auc(labels: Mask, scores: Scores) -> float | None:
    """Return the chance that a positive scores above a negative, ties counting half.

    None when (N,) labels are of one class only.

    Source: the Mann-Whitney statistic with mid-ranks.
    """
    if not len(labels):
        return None
    found = weighted_aucs(labels, scores, np.ones((1, len(labels))))[0]
    return None if np.isnan(found) else float(found)


def weighted_aucs(
    labels: Mask, scores: Scores, weights: Doubles | npt.NDArray[np.uint16]
) -> Doubles:
    """Return (B,) the AUC under B weightings of N rows, NaN where a class weighs nothing.

    Args:
        labels: (N,) bool.
        scores: (N,) in any scale.
        weights: (B, N), 0 or more.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    begins = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    ordered = weights[:, order]
    positive = np.add.reduceat(ordered * labels[order], begins, axis=1)
    negative = np.add.reduceat(ordered * ~labels[order], begins, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    won = (positive * (below + 0.5 * negative)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    found: Doubles = np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return found


@dataclass(frozen=True, slots=True)
class GroupAucs:
    """AUC inside each of G groups that have both classes.

    ``aucs`` (G,); ``sizes`` (G,) rows; ``members`` (G,) place of one row of the group.
    """

    aucs: Doubles
    sizes: Ints
    members: Ints

    def mean(self) -> float | None:
        """Return the mean weighted by rows, None when no group has both classes."""
        if not len(self.aucs):
            return None
        return float((self.aucs * self.sizes).sum() / self.sizes.sum())


def group_aucs(labels: Mask, scores: Scores, groups: Ints) -> GroupAucs:
    """Return the AUC inside each group, ties counting half; groups of one class are left out.

    Args:
        labels: (N,) bool.
        scores: (N,) in any scale.
        groups: (N,) whatever tells groups apart.
    """
    order = np.lexsort((scores, groups))
    label, score, group = labels[order], scores[order], groups[order]
    new_group = np.concatenate([[True], group[1:] != group[:-1]])
    new_tie = new_group | np.concatenate([[True], score[1:] != score[:-1]])
    starts, ties = np.flatnonzero(new_group), np.flatnonzero(new_tie)
    place = np.cumsum(new_group) - 1
    tie_sizes = np.diff(np.append(ties, len(order)))
    middle = np.repeat(ties + (tie_sizes + 1) / 2.0, tie_sizes) - starts[place]
    sizes = np.bincount(place)
    positives = np.bincount(place, weights=label)
    ranks = np.bincount(place, weights=middle * label)
    both = (positives > 0) & (positives < sizes)
    won = ranks[both] - positives[both] * (positives[both] + 1) / 2.0
    aucs = won / (positives[both] * (sizes[both] - positives[both]))
    return GroupAucs(aucs, sizes[both].astype(np.int64), order[starts[both]])


def log_losses(labels: Mask, p: Scores) -> Doubles:
    """Return (N,) the surprise of each label, in nats; p is kept off 0 and 1 by 1e-7."""
    safe = np.clip(p.astype(np.float64), _SMALLEST_P, 1.0 - _SMALLEST_P)
    return -np.log(np.where(labels, safe, 1.0 - safe))


def calibration(labels: Mask, p: Scores) -> float | None:
    """Return what was promised over what came: sum of p by sum of labels, None for none."""
    came = int(labels.sum())
    return float(p.sum(dtype=np.float64)) / came if came else None
