"""What may be otherwise on one surface, and which numbers of a slate contradict each other."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec

from playbill.core import InvalidInput, nearest_name

QUOTAS = (
    "ann_quota",
    "similar_quota",
    "followed_quota",
    "fresh_quota",
    "trending_quota",
    "explore_quota",
    "next_quota",
)
"""The settings that say how many candidates each source brings."""

Quota = Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]
Gap = Annotated[int, msgspec.Meta(ge=0, le=10)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=366 * 24)]
Showings = Annotated[int, msgspec.Meta(ge=1, le=2)]
_Cap = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_Serving = TypeVar("_Serving", bound=msgspec.Struct)


class PolicyValues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Utilities that count on one surface instead of the bundle's; the heavy scorer's only."""

    click: float | None = None
    """Utility of a click."""
    long_view: float | None = None
    """Utility of a long view."""
    like: float | None = None
    """Utility of a like."""
    negative: float | None = None
    """Utility of a hide or a report."""


class SurfacePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is otherwise on one surface. What is left out is as in ``[serving]``.

    A quota of 0 leaves a source out.
    """

    ann_quota: Quota | None = None
    """Candidates from the vector index."""
    fresh_quota: Quota | None = None
    """Candidates from the newest videos."""
    trending_quota: Quota | None = None
    """Candidates from the region's list."""
    similar_quota: Quota | None = None
    """Candidates near the videos last watched."""
    followed_quota: Quota | None = None
    """Candidates from authors the viewer follows."""
    explore_quota: Quota | None = None
    """Candidates drawn at random among little-shown videos."""
    next_quota: Quota | None = None
    """Candidates that others took after the videos last watched."""
    author_cap: _Cap | None = None
    """Videos of one author in one feed."""
    topic_cap: _Cap | None = None
    """Videos of one first topic in one feed."""
    author_gap: Gap | None = None
    """Places of others between two videos of one author."""
    diversity: _Share | None = None
    """How much unlike the places before it counts beside utility."""
    explore_share: _Share | None = None
    """Share of places given to exploration."""
    creator_floor: _Share | None = None
    """Share of places kept for authors who were shown little."""
    creator_impressions: _Cap | None = None
    """Impressions below which an author was shown little."""
    repeat_showings: Showings | None = None
    """How often a video was shown that is held back."""
    repeat_rest_h: Hours | None = None
    """Hours without an event after which nothing is held back that was not acted upon."""
    repeat_penalty: _Share | None = None
    """What a video loses that was shown lately and is not held back."""
    value: PolicyValues = PolicyValues()
    """Utilities that count here instead of the bundle's."""


def check_slate(serving: msgspec.Struct, path: str) -> None:
    """Return if the numbers of a slate can hold together.

    Args:
        serving: ``ServingSettings``, with or without what a surface says otherwise.
        path: where they are said, for messages.

    Raises:
        InvalidInput: they contradict each other; the key is named.
    """
    said = msgspec.structs.asdict(serving)
    floor, share = said["creator_floor"], said["explore_share"]
    if not any(said[quota] for quota in QUOTAS):
        raise InvalidInput(
            f"{path}: every quota is 0, so that no source finds anything",
            field=f"{path}.{QUOTAS[0]}",
            hint="give at least one of " + ", ".join(QUOTAS) + " a number above 0",
        )
    if share > 0.0 and not said["explore_quota"]:
        raise InvalidInput(
            f"{path}.explore_share is {share:g}, but {path}.explore_quota is 0: there is nothing "
            "to draw from",
            field=f"{path}.explore_share",
            hint="set explore_share to 0 as well, or give explore_quota a number above 0",
        )
    if floor + share > 1.0:
        raise InvalidInput(
            f"{path}.creator_floor is {floor:g} and {path}.explore_share {share:g}: together more "
            "than all places",
            field=f"{path}.creator_floor",
            hint="lower one of them; chance takes no place that the floor keeps",
        )


def check_policies(
    serving: msgspec.Struct, policies: Mapping[str, SurfacePolicy], surfaces: Sequence[str]
) -> None:
    """Return if every policy is of a declared surface and holds together with ``[serving]``.

    Args:
        serving: ``ServingSettings``.
        policies: by surface.
        surfaces: declared ones.

    Raises:
        InvalidInput: one is not; the key is named.
    """
    for name, policy in policies.items():
        path = f"serving.policies.{name}"
        if name not in surfaces:
            raise InvalidInput(
                f"{path}: there is no surface {name!r}." + nearest_name(name, surfaces),
                field=path,
                hint="declare it in surfaces, or name one of: " + ", ".join(surfaces),
            )
        check_slate(policy_on(serving, policy), path)
        for action, value in msgspec.structs.asdict(policy.value).items():
            if value is not None and not math.isfinite(value):
                raise InvalidInput(
                    f"{path}.value.{action} is {value}; expected a finite number",
                    field=f"{path}.value.{action}",
                    hint="leave it out to keep the bundle's",
                )


def policy_on(serving: _Serving, policy: SurfacePolicy) -> _Serving:
    """Return ``ServingSettings`` with what a policy says otherwise."""
    said = {
        field: value
        for field, value in msgspec.structs.asdict(policy).items()
        if field != "value" and value is not None
    }
    return msgspec.structs.replace(serving, **said)
