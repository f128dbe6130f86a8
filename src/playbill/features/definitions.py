"""The features: each one says what it remembers and how it is read. Nothing else defines them.

A feature remembers decayed sums ("slots") of signals in a scope; reading it at an instant turns
slots into one number. Serving, replay and training use what ``layout.compile_program`` makes of
this list, and the list's hash is in every bundle.
"""

import enum
from dataclasses import asdict, dataclass
from functools import cache
from typing import ClassVar

from playbill.core import canonical_json, content_digest

LAYOUT_VERSION = 4
"""Raise it when what a slot or a fact means changes without a parameter changing."""

HOURS = 3_600
DAYS = 24 * HOURS


class Signal(enum.IntEnum):
    """What one event adds to the sums it touches."""

    IMPRESSION = 0
    """1 for each time a video was shown."""
    CLICK = 1
    """1 for each click."""
    LONG_VIEW = 2
    """1 for each watch that counts as long."""
    LIKE = 3
    """1 for each like."""
    ENGAGE = 4
    """1 for each share, comment or follow."""
    NEGATIVE = 5
    """1 for each hide or report."""
    WATCH_S = 6
    """Seconds watched, at most 600 for one watch."""
    SKIP = 7
    """1 for each skip."""
    CLICK_FORETOLD = 8
    """For each time a video was shown, the share of showings on that surface that are clicked."""
    LONG_VIEW_FORETOLD = 9
    """For each time a video was shown, the share of showings there that become long views."""


class Scope(enum.IntEnum):
    """Whose sums they are."""

    ITEM = 0
    AUTHOR = 1
    TOPIC = 2
    """The mean over the video's topics."""
    USER = 3
    USER_TOPIC = 4
    """The mean over the video's topics, of what this viewer did with each."""
    USER_AUTHOR = 5


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One decayed sum: what is remembered."""

    scope: Scope
    half_life_s: int
    signal: Signal


@dataclass(frozen=True, slots=True)
class Rate:
    """Smoothed share: (sum of one signal + prior x strength) / (sum of another + strength).

    ``prior`` is what an unknown thing is taken for, ``strength`` how many observations it
    weighs.
    """

    code: ClassVar[int] = 0
    name: str
    scope: Scope
    of: Signal
    half_life_s: int
    prior: float
    strength: float
    per: Signal = Signal.IMPRESSION

    def slots(self) -> tuple[Slot, ...]:
        """Return numerator and denominator."""
        return (
            Slot(self.scope, self.half_life_s, self.of),
            Slot(self.scope, self.half_life_s, self.per),
        )


@dataclass(frozen=True, slots=True)
class Volume:
    """How much there was: log(1 + decayed sum)."""

    code: ClassVar[int] = 1
    name: str
    scope: Scope
    of: Signal
    half_life_s: int

    def slots(self) -> tuple[Slot, ...]:
        """Return the sum."""
        return (Slot(self.scope, self.half_life_s, self.of),)


class FactKind(enum.IntEnum):
    """Numbers that are no decayed sums."""

    ITEM_AGE = 0
    """log(1 + hours since it was published)."""
    ITEM_DURATION = 1
    """log(1 + seconds it plays)."""
    USER_TENURE = 2
    """log(1 + hours since the viewer was first seen)."""
    USER_IDLE = 3
    """log(1 + hours since the viewer last did something)."""
    HOUR_SIN = 4
    """Sine of the hour of the day, UTC."""
    HOUR_COS = 5
    """Cosine of the hour of the day, UTC."""
    FOLLOWS_AUTHOR = 6
    """1 when the viewer follows the author."""
    IN_HISTORY = 7
    """1 when the video is among the viewer's recent ones."""
    RECENT_SAME_TOPIC = 8
    """Share of the viewer's 16 newest videos that share the first topic."""
    RECENT_SAME_AUTHOR = 9
    """log(1 + how many of the viewer's recent videos the author made)."""
    LANGUAGE_MATCH = 10
    """1 same language, 0 another, 0.5 when either is unknown."""
    RECENT_LONG = 11
    """Share of the viewer's 16 newest videos that were long views."""


VIEWER_FACTS = (
    FactKind.USER_TENURE,
    FactKind.USER_IDLE,
    FactKind.HOUR_SIN,
    FactKind.HOUR_COS,
    FactKind.RECENT_LONG,
)
"""Facts that are the same for every candidate of a request."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number read from a record, the row or the request."""

    code: ClassVar[int] = 2
    name: str
    fact: FactKind

    def slots(self) -> tuple[Slot, ...]:
        """Return nothing: facts are remembered by the records themselves."""
        return ()


Feature = Rate | Volume | Fact

_I, _A, _T = Scope.ITEM, Scope.AUTHOR, Scope.TOPIC
_U, _UT, _UA = Scope.USER, Scope.USER_TOPIC, Scope.USER_AUTHOR
_S = Signal

FEATURES: tuple[Feature, ...] = (
    Rate("item_click_rate_6h", _I, _S.CLICK, 6 * HOURS, prior=0.3, strength=10),
    Rate("item_long_view_rate_6h", _I, _S.LONG_VIEW, 6 * HOURS, prior=0.2, strength=10),
    Volume("item_impressions_6h", _I, _S.IMPRESSION, 6 * HOURS),
    Rate("item_click_rate_14d", _I, _S.CLICK, 14 * DAYS, prior=0.3, strength=10),
    Rate("item_long_view_rate_14d", _I, _S.LONG_VIEW, 14 * DAYS, prior=0.2, strength=10),
    Rate("item_like_rate_14d", _I, _S.LIKE, 14 * DAYS, prior=0.02, strength=20),
    Rate("item_engage_rate_14d", _I, _S.ENGAGE, 14 * DAYS, prior=0.01, strength=20),
    Rate("item_negative_rate_14d", _I, _S.NEGATIVE, 14 * DAYS, prior=0.005, strength=50),
    Rate("item_skip_rate_14d", _I, _S.SKIP, 14 * DAYS, prior=0.02, strength=20),
    Rate("item_watch_s_14d", _I, _S.WATCH_S, 14 * DAYS, prior=15.0, strength=5),
    Volume("item_impressions_14d", _I, _S.IMPRESSION, 14 * DAYS),
    Volume("item_likes_14d", _I, _S.LIKE, 14 * DAYS),
    Rate("item_click_lift_14d", _I, _S.CLICK, 14 * DAYS, 1.0, 3, _S.CLICK_FORETOLD),
    Rate("item_long_view_lift_14d", _I, _S.LONG_VIEW, 14 * DAYS, 1.0, 2, _S.LONG_VIEW_FORETOLD),
    Rate("author_click_rate_14d", _A, _S.CLICK, 14 * DAYS, prior=0.3, strength=10),
    Rate("author_long_view_rate_14d", _A, _S.LONG_VIEW, 14 * DAYS, prior=0.2, strength=10),
    Rate("author_like_rate_14d", _A, _S.LIKE, 14 * DAYS, prior=0.02, strength=20),
    Rate("author_negative_rate_14d", _A, _S.NEGATIVE, 14 * DAYS, prior=0.005, strength=50),
    Volume("author_impressions_14d", _A, _S.IMPRESSION, 14 * DAYS),
    Rate("topic_click_rate_2d", _T, _S.CLICK, 2 * DAYS, prior=0.3, strength=10),
    Rate("topic_long_view_rate_2d", _T, _S.LONG_VIEW, 2 * DAYS, prior=0.2, strength=10),
    Rate("topic_like_rate_2d", _T, _S.LIKE, 2 * DAYS, prior=0.02, strength=20),
    Volume("topic_impressions_2d", _T, _S.IMPRESSION, 2 * DAYS),
    Rate("user_click_rate_1d", _U, _S.CLICK, 1 * DAYS, prior=0.3, strength=5),
    Rate("user_long_view_rate_1d", _U, _S.LONG_VIEW, 1 * DAYS, prior=0.2, strength=5),
    Volume("user_impressions_1d", _U, _S.IMPRESSION, 1 * DAYS),
    Rate("user_click_rate_14d", _U, _S.CLICK, 14 * DAYS, prior=0.3, strength=5),
    Rate("user_long_view_rate_14d", _U, _S.LONG_VIEW, 14 * DAYS, prior=0.2, strength=5),
    Rate("user_like_rate_14d", _U, _S.LIKE, 14 * DAYS, prior=0.02, strength=10),
    Rate("user_engage_rate_14d", _U, _S.ENGAGE, 14 * DAYS, prior=0.01, strength=10),
    Rate("user_negative_rate_14d", _U, _S.NEGATIVE, 14 * DAYS, prior=0.005, strength=20),
    Rate("user_watch_s_14d", _U, _S.WATCH_S, 14 * DAYS, prior=15.0, strength=3),
    Volume("user_impressions_14d", _U, _S.IMPRESSION, 14 * DAYS),
    Rate("user_click_lift_14d", _U, _S.CLICK, 14 * DAYS, 1.0, 1.5, _S.CLICK_FORETOLD),
    Rate("user_long_view_lift_14d", _U, _S.LONG_VIEW, 14 * DAYS, 1.0, 1, _S.LONG_VIEW_FORETOLD),
    Rate("user_topic_click_rate", _UT, _S.CLICK, 14 * DAYS, prior=0.3, strength=3),
    Rate("user_topic_long_view_rate", _UT, _S.LONG_VIEW, 14 * DAYS, prior=0.2, strength=3),
    Volume("user_topic_impressions", _UT, _S.IMPRESSION, 14 * DAYS),
    Volume("user_topic_clicks", _UT, _S.CLICK, 14 * DAYS),
    Volume("user_topic_long_views", _UT, _S.LONG_VIEW, 14 * DAYS),
    Volume("user_topic_likes", _UT, _S.LIKE, 14 * DAYS),
    Rate("user_author_click_rate", _UA, _S.CLICK, 14 * DAYS, prior=0.3, strength=2),
    Rate("user_author_long_view_rate", _UA, _S.LONG_VIEW, 14 * DAYS, prior=0.2, strength=2),
    Volume("user_author_impressions", _UA, _S.IMPRESSION, 14 * DAYS),
    Fact("item_age", FactKind.ITEM_AGE),
    Fact("item_duration", FactKind.ITEM_DURATION),
    Fact("user_tenure", FactKind.USER_TENURE),
    Fact("user_idle", FactKind.USER_IDLE),
    Fact("hour_sin", FactKind.HOUR_SIN),
    Fact("hour_cos", FactKind.HOUR_COS),
    Fact("follows_author", FactKind.FOLLOWS_AUTHOR),
    Fact("in_history", FactKind.IN_HISTORY),
    Fact("recent_same_topic", FactKind.RECENT_SAME_TOPIC),
    Fact("recent_same_author", FactKind.RECENT_SAME_AUTHOR),
    Fact("recent_long", FactKind.RECENT_LONG),
    Fact("language_match", FactKind.LANGUAGE_MATCH),
)
"""Every feature of a candidate, in the order of its column."""

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)

VIEWER_FEATURES: tuple[bool, ...] = tuple(
    feature.fact in VIEWER_FACTS if isinstance(feature, Fact) else feature.scope is Scope.USER
    for feature in FEATURES
)
"""Which features are the viewer's, and so the same for every candidate of a request."""


@cache
def features_digest(features: tuple[Feature, ...] = FEATURES) -> str:
    """Return the hash of the definitions: a changed parameter is another feature."""
    described = [{"kind": type(feature).__name__, **asdict(feature)} for feature in features]
    return content_digest(canonical_json({"layout": LAYOUT_VERSION, "features": described}))
