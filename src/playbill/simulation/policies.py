"""What simple ways to rank would be worth in this world, to stand beside what was learned."""

import enum
from dataclasses import dataclass

import numpy as np

from playbill.core import InvalidInput, nearest_name
from playbill.simulation.columns import Ints, stream
from playbill.simulation.regions import REGIONS
from playbill.simulation.responses import ResponseModel

_VOTERS = 64


class Policy(enum.StrEnum):
    """A way to fill a feed without a model."""

    RANDOM = "random"
    """Any videos the viewer may see."""
    POPULAR = "popular"
    """The videos the viewer's region would click most, the same for everybody there."""
    IDEAL = "ideal"
    """The best videos for someone who knows every taste and quality, though no whim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """What one policy is worth over a sample of viewers, weighted as they visit."""

    policy: Policy
    viewers: int
    """How many were asked."""
    click_rate: float
    """True expected clicks of one shown video, with the fall of attention by position."""
    utility_per_feed: float
    """True expected utility of one feed, in the units of ``ValueSettings``."""
    standard_error: float
    """Of ``utility_per_feed``, from the spread between viewers."""


def policy_named(name: str) -> Policy:
    """Return the policy of a name.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return Policy(name)
    except ValueError:
        known = [policy.value for policy in Policy]
        raise InvalidInput(
            f"{name!r} is no policy; choose {', '.join(known)}.{nearest_name(name, known)}",
            field="policy",
        ) from None


def evaluate(model: ResponseModel, policy: Policy, viewers: int, at_ms: int) -> PolicyValue:
    """Return what a policy is worth at an instant.

    Every policy meets the same viewers with the same feed sizes, so that differences between
    two are sharper than their standard errors say.
    """
    settings = model.settings
    rng = stream(settings.seed, "policy-sample")
    activity = model.viewers.activity
    users = rng.choice(settings.users, size=viewers, p=activity / activity.sum())
    sizes = rng.integers(settings.feed_size_min, settings.feed_size_max + 1, size=viewers)
    chance = stream(settings.seed, "policy-chance")
    lists = _popular_lists(model, at_ms) if policy is Policy.POPULAR else None
    utilities = np.zeros(viewers)
    clicks = 0.0
    for row, (user, size) in enumerate(zip(users.tolist(), sizes.tolist(), strict=True)):
        videos = visible(model, user, at_ms)
        if policy is Policy.RANDOM:
            slate = chance.choice(videos, size=min(size, videos.size), replace=False)
        elif lists is not None:
            ranked = lists[int(model.viewers.region[user])]
            slate = ranked[np.isin(ranked, videos, assume_unique=True)][:size]
        else:
            slate = ideal_slate(model, user, videos, size)
        seen = model.examination(user, np.arange(slate.size))
        chances = model.chances(user, slate)
        utilities[row] = float(seen @ model.utility(chances))
        clicks += float(seen @ chances.p_click)
    return PolicyValue(
        policy=policy,
        viewers=viewers,
        click_rate=clicks / float(sizes.sum()),
        utility_per_feed=float(utilities.mean()),
        standard_error=float(utilities.std(ddof=1) / viewers**0.5),
    )


def visible(model: ResponseModel, user: int, at_ms: int) -> Ints:
    """Return (V',) the videos that exist and that a viewer's region and age permit."""
    catalogue, viewers = model.catalogue, model.viewers
    there = slice(0, catalogue.arrived(at_ms))
    allowed = catalogue.shown_in[there, viewers.region[user]]
    return np.flatnonzero(allowed & (catalogue.age_rating[there] <= viewers.age[user]))


def ideal_slate(model: ResponseModel, user: int, videos: Ints, size: int) -> Ints:
    """Return the (size,) of some videos with the highest utility but for whims, best first."""
    utility = model.utility(model.chances(user, videos, whimsical=False))
    size = min(size, videos.size)
    top = np.argpartition(-utility, size - 1)[:size]
    slate: Ints = videos[top[np.argsort(-utility[top], kind="stable")]]
    return slate


def _popular_lists(model: ResponseModel, at_ms: int) -> list[Ints]:
    """Return, by region, the videos with the highest mean click probability, best first.

    The mean is over a sample of the region's viewers. Long enough that filters leave a feed.
    """
    rng = stream(model.settings.seed, "policy-voters")
    videos = np.arange(model.catalogue.arrived(at_ms))
    length = 10 * model.settings.feed_size_max
    lists = []
    for region in range(len(REGIONS)):
        clicks = np.zeros(videos.size)
        residents = np.flatnonzero(model.viewers.region == region)
        if residents.size:
            for user in rng.choice(residents, size=min(_VOTERS, residents.size)).tolist():
                clicks += model.chances(user, videos).p_click
        lists.append(np.argsort(-clicks, kind="stable")[:length])
    return lists
