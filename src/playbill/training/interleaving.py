"""Two rankers draft the feeds that were served; whoever took what was clicked is preferred."""

from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.training.bootstrap import Resamples
from playbill.training.figures import figure
from playbill.training.shown import Shown

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

RESAMPLES = 200


def interleaved(
    viewers: Ints,
    shown: Shown,
    clicks: npt.NDArray[np.bool_],
    ours: Doubles,
    theirs: Doubles,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return which of two rankers would have been given the clicks, had they drafted each feed.

    Both rank what a feed showed, and take turns, who begins being drawn, at taking their best one
    that is left; a click counts for whoever took it. Keys: feeds (with a click and two videos at
    least), preference (clicks of ours less theirs over all clicks, -1 to 1) with its interval over
    viewers.

    Args:
        viewers: (N,) whom each place was shown to.
        shown: N places, feed after feed.
        clicks: (N,) which were clicked.
        ours: (N,) scores.
        theirs: (N,) scores.
        seed: of the draft and of the bootstrap.
        resamples: draws of the bootstrap.

    The feed was ordered by the logged policy, so what it put first was looked at more: among two
    rankers the one that is like it is favoured. ``in_order_of`` is free of that.

    Source: Radlinski, Kurup and Joachims 2008 (team draft).
    """
    random = np.random.default_rng(seed)
    feeds = shown.feeds
    credit, clicked = np.zeros(len(shown)), np.zeros(len(shown))
    starts = np.flatnonzero(np.r_[True, feeds[1:] != feeds[:-1]]) if len(feeds) else feeds
    counted = 0
    for start, end in zip(starts, np.r_[starts[1:], len(feeds)], strict=True):
        part = slice(start, end)
        if end - start < 2 or not clicks[part].any():
            continue
        counted += 1
        team = _drafted(ours[part], theirs[part], random)
        credit[part] = team * clicks[part]
        clicked[part] = clicks[part]
    total = clicked.sum()
    preference = float(credit.sum() / total) if total else None
    draws = Resamples.draw(viewers, resamples, seed)
    spread = draws.ratio(credit, clicked)
    return {"feeds": counted, **figure("preference", preference, spread)}


def _drafted(ours: Doubles, theirs: Doubles, random: np.random.Generator) -> Doubles:
    """Return (k,) 1 for what we took and -1 for what they took."""
    size = len(ours)
    orders = [np.argsort(-each, kind="stable").tolist() for each in (ours, theirs)]
    team = np.zeros(size)
    taken, at = 0, [0, 0]
    while taken < size:
        first = int(random.integers(2))
        for side in (first, 1 - first):
            order = orders[side]
            while at[side] < size and team[order[at[side]]] != 0.0:
                at[side] += 1
            if at[side] < size:
                team[order[at[side]]] = 1.0 if side == 0 else -1.0
                taken += 1
    return team
