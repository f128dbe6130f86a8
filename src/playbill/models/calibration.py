"""A line through a logit, and a shift a segment: what is said happens as often as it is said."""

import numpy as np
import numpy.typing as npt

_STEPS = 50
_PULL = 1.0
"""How many observations the identity weighs; it keeps the line where data is thin."""
SHIFT_PULL = 10.0
"""What a segment's own shift gives way to, in p (1 - p): forty rows of which half happen."""
_LONGEST_STEP = 2.0


def sigmoid(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (N,) probabilities of (N,) logits, without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0, small) / (1.0 + small)


def fit_platt(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return scale and shift that make sigmoid(scale x logit + shift) fit (N,) labels best.

    The identity, (1, 0), when the labels are of one class only: there is nothing to learn from.

    Source: Platt: Probabilistic outputs for support vector machines, 1999; Newton's method on the
    log loss with a weak pull towards the identity.
    """
    if labels.all() or not labels.any():
        return 1.0, 0.0
    x, y = logits.astype(np.float64), labels.astype(np.float64)
    identity = np.array([1.0, 0.0])
    line = identity.copy()
    best = _loss(line, x, y)
    for _ in range(_STEPS):
        p = sigmoid(line[0] * x + line[1])
        slope, bend = p - y, p * (1.0 - p)
        gradient = np.array([slope @ x, slope.sum()]) + _PULL * (line - identity)
        cross = bend @ x
        hessian = np.array([[bend @ (x * x) + _PULL, cross], [cross, bend.sum() + _PULL]])
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-6 and _loss(line - size * step, x, y) > best:
            size /= 2.0
        line = line - size * step
        loss = _loss(line, x, y)
        if best - loss <= 1e-10 * max(best, 1.0):
            break
        best = loss
    return (float(line[0]), float(line[1])) if line[0] > 0.0 else (1.0, 0.0)


def fit_shift(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_]) -> float:
    """Return what to add to (N,) logits so that they say as often as (N,) labels happen.

    Zero without rows, and little where they are few: the pull weighs as much as some forty rows.

    Source: Newton's method on the log loss, docs/decisions/0037-each-surface-is-calibrated.md
    """
    x, y, shift = logits.astype(np.float64), labels.astype(np.float64), 0.0
    for _ in range(_STEPS):
        p = sigmoid(x + shift)
        step = (np.sum(p - y) + SHIFT_PULL * shift) / (np.sum(p * (1.0 - p)) + SHIFT_PULL)
        shift -= float(np.clip(step, -_LONGEST_STEP, _LONGEST_STEP))
        if abs(step) < 1e-9:
            break
    return shift


def shifts_of(
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.bool_],
    segments: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.float32]:
    """Return (``count``,) the shift of each segment, given those of (N,) rows."""
    found = [fit_shift(logits[segments == s], labels[segments == s]) for s in range(count)]
    return np.array(found, np.float32)


def _loss(
    line: npt.NDArray[np.float64], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> float:
    z = line[0] * x + line[1]
    fit = np.logaddexp(0.0, z) - y * z
    return float(fit.sum() + 0.5 * _PULL * ((line[0] - 1.0) ** 2 + line[1] ** 2))
