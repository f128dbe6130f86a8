"""What another policy would have been worth, from what a logged one did by chance.

A decision is one place of a feed: what was shown there with a known probability, and what came of
it. Each is weighed by how much likelier the other policy would have shown the same. That holds
where what comes of a place depends on the video and the place, not on the places beside it.

Source: Horvitz and Thompson 1952 (IPS); Swaminathan and Joachims 2015 (self-normalised); Dudik,
Langford and Li 2011 (doubly robust); docs/decisions/0031-policies-are-judged-by-what-chance-did.md
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_EFFECTIVE = 100.0
"""With an effective sample below it nothing is estimated."""
LARGEST_SHARE = 0.05
"""No decision may carry more of the whole weight than this."""
_Z = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """N logged decisions, seen from another policy.

    ``viewers`` (N,) whoever they were made for; ``rewards`` (N,); ``logged`` (N,) how likely, above
    0, what was shown was to be shown there; ``target`` (N,) how likely the other policy makes it.
    ``unlogged`` is the share of what the other policy shows that the logged one never could have.
    ``expected`` (N,) is a model's reward of what was shown and ``foretold`` (N,) its mean over what
    the other policy shows there; None for no model.
    """

    viewers: Ints
    rewards: Doubles
    logged: Doubles
    target: Doubles
    unlogged: float = 0.0
    expected: Doubles | None = None
    foretold: Doubles | None = None


def estimate(decisions: Decisions) -> dict[str, Any]:
    """Return the mean reward of a decision under the other policy, estimated in three ways.

    Keys: ips, snips, dr (None without a model), each with value, error and a 95 % interval over
    viewers; effective_sample, largest_weight, mean_weight (1 but for chance), decisions, viewers.

    Raises:
        InvalidInput: the log does not support the policy: it shows what was never logged, or so
            little of what was logged that nothing can be said.
    """
    if not len(decisions.rewards):
        raise InvalidInput(
            "no logged decision can be weighed", hint="serve feeds with explore_share above 0"
        )
    weights = decisions.target / decisions.logged
    support = _supported(weights, decisions.unlogged)
    rewards, ones = decisions.rewards, np.ones(len(weights))
    found: dict[str, Any] = {
        "ips": _ratio(weights * rewards, ones, decisions.viewers),
        "snips": _ratio(weights * rewards, weights, decisions.viewers),
        "dr": None,
    }
    if decisions.expected is not None and decisions.foretold is not None:
        corrected = decisions.foretold + weights * (rewards - decisions.expected)
        found["dr"] = _ratio(corrected, ones, decisions.viewers)
    viewers = len(np.unique(decisions.viewers))
    return {**found, **support, "decisions": len(weights), "viewers": viewers}


def _supported(weights: Doubles, unlogged: float) -> dict[str, float]:
    """Return how well the log supports a policy.

    Raises:
        InvalidInput: not well enough.
    """
    total = float(weights.sum())
    effective = total**2 / float(np.square(weights).sum()) if total else 0.0
    largest = float(weights.max()) / total if total else 1.0
    if unlogged > 0.0:
        raise InvalidInput(
            f"{unlogged:.1%} of what the policy shows was never shown by chance, so the log says "
            "nothing of it",
            hint="evaluate a policy within what was explored, or explore first: explore_share",
        )
    if effective < FEWEST_EFFECTIVE or largest > LARGEST_SHARE:
        raise InvalidInput(
            f"the log holds {effective:.0f} effective decisions of the policy, one of them with "
            f"{largest:.1%} of the weight; at least {FEWEST_EFFECTIVE:.0f} and at most "
            f"{LARGEST_SHARE:.0%} are needed",
            hint="log for longer, explore more, or evaluate a policy closer to the logged one",
        )
    return {
        "effective_sample": round(effective, 1),
        "largest_weight": round(float(weights.max()), 4),
        "mean_weight": round(total / len(weights), 4),
    }


def _ratio(above: Doubles, below: Doubles, viewers: Ints) -> dict[str, Any]:
    """Return sum(above) by sum(below), with an error that takes a viewer's decisions together.

    Source: the delta method over viewers.
    """
    value = float(above.sum() / below.sum())
    _, numbers = np.unique(viewers, return_inverse=True)
    residuals = np.bincount(numbers, weights=above - value * below)
    count = len(residuals)
    correction = count / (count - 1) if count > 1 else np.nan
    error = float(np.sqrt(correction * np.square(residuals).sum()) / below.sum())
    return {
        "value": round(value, 6),
        "error": round(error, 6),
        "interval": [round(value - _Z * error, 6), round(value + _Z * error, 6)],
    }
