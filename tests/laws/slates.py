"""The rules of a slate in plain Python, and candidates to try them on."""

import math

import numpy as np

from laws.feature_views import item_view
from laws.ranking_worlds import candidates
from playbill.features import NO_TOPIC
from playbill.ranking import SlateRules

FREE = SlateRules(
    author_cap=10**6,
    topic_cap=10**6,
    author_gap=0,
    diversity=0.0,
    repeat_penalty=0.0,
    creator_floor=0.0,
    creator_impressions=1_000.0,
)
"""Every rule switched off: by utility alone."""


def rules(**changed) -> SlateRules:
    return FREE._replace(**changed)


def view_of_kinds(authors, topics=None, impressions=None):
    """Return a view of one video a candidate.

    Args:
        authors: (C,) of each.
        topics: (C,) the first topic of each, or (C, n) several; none when None.
        impressions: decayed, by author.
    """
    view = item_view(len(authors), authors=authors)
    if topics is not None and len(authors):
        given = np.asarray(topics).reshape(len(authors), -1)
        view.tables.items["topics"][:, : given.shape[1]] = given
    if impressions is not None:
        view.tables.authors["slots"][: len(impressions), 0] = impressions
        view.tables.authors["landmark_ms"] = view.at_ms
    return view


def merits(utility, places, law):
    """Return (C,) merit before likeness; None for what has no finite utility."""
    finite = sorted((float(np.float32(u)) for u in utility if math.isfinite(u)), reverse=True)
    if not finite:
        return [None] * len(utility)
    spread = finite[0] - finite[min(len(finite), 2 * places) - 1]
    spread = spread if spread > 0.0 else finite[0] - finite[-1]
    lost = [
        None
        if not math.isfinite(u)
        else (finite[0] - float(np.float32(u))) / spread
        if spread > 0.0
        else 0.0
        for u in utility
    ]
    return [None if one is None else (1.0 - law.diversity) * (1.0 - one) for one in lost]


def likeness(items, one, other) -> np.float32:
    """Return the share of topics in common; half-way from there to 1 for one author."""
    mine = set(items[one]["topics"].tolist()) - {NO_TOPIC}
    theirs = set(items[other]["topics"].tolist()) - {NO_TOPIC}
    share = np.float32(len(mine & theirs)) / np.float32(max(1, len(mine | theirs)))
    if items[one]["author"] != items[other]["author"]:
        return share
    return np.float32(0.5) + np.float32(0.5) * share


def naive_slate(utility, view, size, law, little=(), before=()):
    """Return the picks of the rules, candidate by candidate and place by place.

    Args:
        little: authors who were shown little.
        before: rows of the places before.
    """
    items, count = view.tables.items, len(utility)
    worth = merits(utility, min(size, count), law)
    alike = [np.float32(0.0)] * count
    line = list(before)
    for row in before:
        alike = _moved(alike, items, row)
    picks: list[int] = []
    while len(picks) < min(size, count):
        left = [c for c in range(count) if c not in picks]
        levels = {c: _level(items, c, picks, line, law) for c in left}
        own = [c for c in picks if items[c]["author"] in little]
        due = math.floor(law.creator_floor * (len(picks) + 1) + 1e-9)
        wanted = [c for c in left if items[c]["author"] in little and levels[c] < 2]
        among = wanted if len(own) < due and wanted else left

        def key(c, levels=levels, alike=alike):
            now = -math.inf if worth[c] is None else worth[c] - law.diversity * float(alike[c])
            return levels[c], -now, math.inf if worth[c] is None else -float(utility[c]), c

        chosen = min(among, key=key)
        picks.append(chosen)
        line.append(chosen)
        alike = _moved(alike, items, chosen)
    return picks


def _moved(alike, items, row):
    faded = [one * np.float32(0.8) for one in alike]
    return [max(one, likeness(items, c, row)) for c, one in enumerate(faded)]


def _level(items, c, picks, line, law):
    author, topic = items[c]["author"], items[c]["topics"][0]
    same_topic = sum(items[p]["topics"][0] == topic != NO_TOPIC for p in picks)
    level = 2 * (same_topic >= law.topic_cap)
    if sum(items[p]["author"] == author for p in picks) >= law.author_cap:
        level = 4
    lately = line[-law.author_gap :] if law.author_gap else []
    return level + any(items[p]["author"] == author for p in lately)


def slate_of(selector, asked, utility, view, sources=1):
    """Return the slate of candidates with these utilities."""
    return selector.select(asked, candidates(len(utility), utility=utility, sources=sources), view)
