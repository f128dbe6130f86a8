"""Policies whose worth a home's own log can tell."""

from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.training.off_policy import Decisions, estimate
from playbill.training.shown import Shown

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


def with_share(viewers: Ints, shown: Shown, rewards: Doubles, share: float) -> Decisions:
    """Return the log's places, seen from the same policy with another share of chance.

    Merit fills all places before chance replaces some, so one place's weight is its own. Feeds in
    which there was nothing to draw from are left out: they would be the same.

    Args:
        viewers: (N,) whom each place was shown to.
        shown: N places, feed after feed.
        rewards: (N,) what came of each.
        share: of places given to chance.

    Raises:
        InvalidInput: the share is none.
    """
    if not 0.0 <= share < 0.5:
        raise InvalidInput(
            f"explore_share is {share:g}; it must be at least 0 and below .5", field="explore_share"
        )
    merit = np.where(shown.propensity >= 1.0, 1.0, 1.0 - share)
    scale = np.divide(share, shown.share, out=np.zeros(len(shown)), where=shown.share > 0.0)
    target = np.where(shown.by_chance, shown.propensity * scale, merit)
    drawn = shown.share > 0.0
    if share > 0.0 and len(shown) and not drawn.any():
        return _unlogged(viewers, rewards, share)
    return Decisions(
        viewers=viewers[drawn],
        rewards=rewards[drawn],
        logged=shown.propensity[drawn],
        target=target[drawn],
    )


def _unlogged(viewers: Ints, rewards: Doubles, share: float) -> Decisions:
    """Return the log's places where none was ever given to chance."""
    ones = np.ones(len(rewards))
    return Decisions(viewers, rewards, ones, (1.0 - share) * ones, unlogged=share)


def in_order_of(
    viewers: Ints, shown: Shown, rewards: Doubles, scores: Doubles, foretold: Doubles
) -> Decisions:
    """Return the places of chance of each feed, as if a ranker had put them in order.

    Chance drew which videos fill a feed's places of chance, and which of them fills which: given
    the k videos, each stood at each of the k places with probability 1/k. A ranker that puts its
    best one first is a policy within that support, known exactly, and the log need not hold what
    was not shown. Feeds with one such place alone say nothing and are left out.

    Args:
        viewers: (N,) whom each place was shown to.
        shown: N places, feed after feed.
        rewards: (N,) what came of each.
        scores: (N,) of the ranker whose order is judged.
        foretold: (N,) a model's reward of each video once it is looked at, for the doubly robust
            estimate; how much less a later place is looked at is taken from the log.
    """
    places, sizes = _several(shown)
    block = np.repeat(np.arange(len(sizes)), sizes)
    in_place = np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    best_first = np.lexsort((in_place, -scores[places], block))
    wanted = np.empty(len(places), np.int64)
    wanted[best_first] = in_place
    looked = _looked_at(shown, rewards, foretold)[shown.positions[places]]
    expected = foretold[places] * looked
    return Decisions(
        viewers=viewers[places],
        rewards=rewards[places],
        logged=1.0 / np.repeat(sizes, sizes),
        target=(wanted == in_place).astype(np.float64),
        expected=expected,
        foretold=foretold[places][best_first] * looked,
    )


def _several(shown: Shown) -> tuple[Ints, Ints]:
    """Return places of chance, of feeds with several of them, and how many each feed has."""
    places = np.flatnonzero(shown.by_chance)
    _, sizes = np.unique(shown.feeds[places], return_counts=True)
    kept = sizes > 1
    return places[np.repeat(kept, sizes)], sizes[kept]


def _looked_at(shown: Shown, rewards: Doubles, foretold: Doubles) -> Doubles:
    """Return by position: rewards that came over rewards foretold, 1 where nothing was."""
    size = int(shown.positions.max(initial=-1)) + 1
    came = np.bincount(shown.positions, weights=rewards, minlength=size)
    said = np.bincount(shown.positions, weights=foretold, minlength=size)
    found: Doubles = np.divide(came, said, out=np.ones(size), where=said > 0.0)
    return found


def told(decisions: Decisions) -> dict[str, Any]:
    """Return a policy's estimate, or why the log cannot tell it: refused, hint."""
    try:
        return estimate(decisions)
    except InvalidInput as refusal:
        return {"refused": refusal.message, "hint": refusal.hint}
