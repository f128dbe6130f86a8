"""The protocol ``off-policy``: what a home's own log says of policies that did not serve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import InvalidInput
from playbill.models import TASKS, value_vector
from playbill.training.counterfactuals import in_order_of, told, with_share
from playbill.training.dataset import Dataset, Rows
from playbill.training.interleaving import interleaved
from playbill.training.progress import OnProgress, within
from playbill.training.row_scorer import Scorer
from playbill.training.shown import Shown, shown_of

Doubles = npt.NDArray[np.float64]

_CLICK = TASKS.index("click")


@dataclass(frozen=True, slots=True)
class Contender:
    """A ranker to be judged, and the instant up to which it has seen rows."""

    ranker: Scorer
    seen_until_ms: int


def evaluate_off_policy(
    dataset: Dataset,
    contenders: Mapping[str, Contender],
    settings: Settings,
    shares: Sequence[float],
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Return what was logged, and what other policies would have been worth.

    Keys: feeds, places, by_chance, logged; shares (by share of chance) and orders (by ranker), each
    with click and utility of one place; interleaving of the first two rankers, None for fewer.

    Args:
        dataset: a built data set.
        contenders: rankers by name; only feeds that none of them learned from are looked at where
            they are judged.
        settings: value weights and seed.
        shares: of chance, each at least 0 and below .5.

    Raises:
        InvalidInput: the log holds no feed that this system ranked, or a share is none.
    """
    report = within(on_progress, "measure")
    report(0.0)
    shown, rows = shown_of(dataset), dataset.rows_for(settings)
    if not len(shown):
        raise InvalidInput(
            "the log holds no feed that this system ranked, so no choice with a known probability",
            hint="serve feeds with a bundle first: playbill train, playbill up",
        )
    rewards = _rewards(rows, shown, settings)
    viewers = rows.users[shown.rows]
    found = {
        f"{share:g}": {
            name: told(with_share(viewers, shown, reward, share))
            for name, reward in rewards.items()
        }
        for share in shares
    }
    report(0.5)
    later = max((each.seen_until_ms for each in contenders.values()), default=0)
    unseen = shown.only(rows.at_ms[shown.rows] >= later)
    orders, scores = _orders(rows, unseen, contenders, settings)
    report(1.0)
    return {
        "protocol": "off-policy",
        "feeds": len(np.unique(shown.feeds)),
        "places": len(shown),
        "by_chance": int(shown.by_chance.sum()),
        "logged": {name: round(float(reward.mean()), 6) for name, reward in rewards.items()},
        "shares": found,
        "orders": orders,
        "interleaving": _interleaving(rows, unseen, scores, settings),
        "note": "of one place; intervals over viewers. Orders are of the places given to chance in "
        "feeds with several of them that no ranker learned from.",
        "data": {**msgspec.to_builtins(dataset.report), "unseen_from_ms": later},
    }


def _rewards(rows: Rows, shown: Shown, settings: Settings) -> dict[str, Doubles]:
    """Return what came of each place, as clicks and as utility."""
    labels = rows.labels[shown.rows].astype(np.float64)
    return {"click": labels[:, _CLICK], "utility": labels @ value_vector(settings.value)}


def _orders(
    rows: Rows, shown: Shown, contenders: Mapping[str, Contender], settings: Settings
) -> tuple[dict[str, Any], dict[str, Doubles]]:
    """Return each contender's order of the places of chance, and its utility of every place."""
    orders, scores = dict[str, Any](), dict[str, Doubles]()
    rewards, value = _rewards(rows, shown, settings), value_vector(settings.value)
    viewers = rows.users[shown.rows]
    for name, contender in contenders.items():
        p = contender.ranker(rows.only(shown.rows))
        scores[name] = p.astype(np.float64) @ value
        foretold = {"click": p[:, _CLICK].astype(np.float64), "utility": scores[name]}
        orders[name] = {
            what: told(in_order_of(viewers, shown, reward, scores[name], foretold[what]))
            for what, reward in rewards.items()
        }
    return orders, scores


def _interleaving(
    rows: Rows, shown: Shown, scores: Mapping[str, Doubles], settings: Settings
) -> dict[str, Any] | None:
    if len(scores) < 2:
        return None
    (ours, first), (theirs, second) = list(scores.items())[:2]
    clicks = rows.labels[shown.rows, _CLICK]
    viewers, seed = rows.users[shown.rows], settings.training.seed
    drafted = interleaved(viewers, shown, clicks, first, second, seed)
    return {"ours": ours, "theirs": theirs, **drafted}
