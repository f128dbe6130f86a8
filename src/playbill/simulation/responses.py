"""What viewers do with what they are shown: the true probabilities, and draws from them.

A viewer looks at the places of a feed from the top and stops at a random depth. What is looked
at may be opened (a click), hidden or reported; what is opened is watched for a while and may be
liked, shared, or win the author a follower.
"""

from dataclasses import dataclass

import numpy as np

from playbill.simulation.authors import Authors
from playbill.simulation.catalogue import Catalogue
from playbill.simulation.columns import Floats, Ints, Mask, sigmoid
from playbill.simulation.settings import WorldSettings
from playbill.simulation.viewers import Viewers
from playbill.simulation.whims import whims

_CLICK_BASE = -3.5
_CLICK_TASTE = 2.6
_CLICK_FAVOURITE = 1.3
_CLICK_QUALITY = 0.5
_CLICK_WHIM = 0.35
_WATCH_SPREAD = 0.7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chances:
    """(C,) probabilities of one viewer and C videos, each given that the place is looked at.

    Like, share, follow and long view are given a click as well.
    """

    p_click: Floats
    p_long_view: Floats
    p_like: Floats
    p_share: Floats
    p_follow: Floats
    p_hide: Floats
    p_report: Floats
    log_watched: Floats
    """(C,) median log of the share of the video that is watched after a click."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Outcomes:
    """(C,) what one viewer did with the C videos of a feed."""

    examined: Mask
    clicked: Mask
    watch_ms: Ints
    """Only where ``clicked``."""
    long_viewed: Mask
    liked: Mask
    shared: Mask
    followed: Mask
    hidden: Mask
    reported: Mask


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ResponseModel:
    """The laws by which viewers respond; everything over the C videos of a slate at once."""

    settings: WorldSettings
    authors: Authors
    catalogue: Catalogue
    viewers: Viewers

    def chances(self, user: int, videos: Ints, *, whimsical: bool = True) -> Chances:
        """Return the true probabilities of one viewer and (C,) videos.

        Args:
            user: row of the viewer.
            videos: (C,) rows of the catalogue.
            whimsical: False leaves out the whim of each pair, which nobody could learn.
        """
        catalogue, viewers = self.catalogue, self.viewers
        taste = viewers.taste[user][catalogue.topics[videos]]
        match = (taste * catalogue.topic_weights[videos]).sum(axis=1)
        favourite = self._is_favourite(user, videos).astype(np.float64)
        quality = catalogue.quality[videos]
        language = viewers.language_logit[user][catalogue.language[videos]]
        logit_click = (
            (_CLICK_BASE + viewers.eagerness[user])
            + _CLICK_TASTE * match
            + _CLICK_FAVOURITE * favourite
            + _CLICK_QUALITY * quality
            + language
        )
        if whimsical:
            logit_click += _CLICK_WHIM * whims(self.settings.seed, user, videos)
        duration_ms = catalogue.duration_ms[videos]
        log_watched = -1.9 + 0.8 * match + 0.3 * quality - 0.45 * np.log(duration_ms / 60_000.0)
        liking = match + 0.5 * quality + 0.6 * favourite
        return Chances(
            p_click=sigmoid(logit_click),
            p_long_view=self._p_long_view(log_watched, duration_ms),
            p_like=sigmoid(-3.4 + 1.4 * liking),
            p_share=sigmoid(-5.0 + 1.4 * liking),
            p_follow=sigmoid(-5.2 + match + 2.0 * favourite),
            p_hide=sigmoid(-7.0 - 1.6 * match - 0.4 * quality - 0.3 * language),
            p_report=sigmoid(-8.0 - 0.8 * quality),
            log_watched=log_watched,
        )

    def examination(self, user: int, positions: Ints) -> Floats:
        """Return (C,) the probability that each position, from 0, is looked at."""
        p_examined: Floats = np.exp(-positions / self.viewers.depth[user])
        return p_examined

    def utility(self, chances: Chances) -> Floats:
        """Return (C,) the utility expected of each video once it is looked at.

        In the units of ``ValueSettings``; shares and follows have no weight there.
        """
        value = self.settings.value
        opened = value.click + value.long_view * chances.p_long_view + value.like * chances.p_like
        p_negative = 1.0 - (1.0 - chances.p_hide) * (1.0 - chances.p_report)
        utility: Floats = chances.p_click * opened + value.negative * p_negative
        return utility

    def draw(
        self,
        user: int,
        videos: Ints,
        positions: Ints,
        chances: Chances,
        rng: np.random.Generator,
    ) -> Outcomes:
        """Draw what a viewer does with (C,) videos at (C,) positions.

        Args:
            user: row of the viewer.
            videos: (C,) rows of the catalogue.
            positions: (C,) places from 0; one depth is drawn for the whole feed.
            chances: what ``chances`` returned for the same viewer and videos.
            rng: where the draws come from.
        """
        draws = rng.random((8, videos.size))
        examined = positions <= rng.exponential(self.viewers.depth[user])
        clicked = examined & (draws[0] < chances.p_click)
        duration_ms = self.catalogue.duration_ms[videos]
        noise = np.log(draws[1] / (1.0 - draws[1]) + 1e-300)
        watched = np.minimum(1.0, np.exp(chances.log_watched + _WATCH_SPREAD * noise))
        watch_ms = np.rint(duration_ms * watched).astype(np.int64)
        return Outcomes(
            examined=examined,
            clicked=clicked,
            watch_ms=watch_ms,
            long_viewed=clicked & (watch_ms >= self._long_view_ms(duration_ms)),
            liked=clicked & (draws[2] < chances.p_like),
            shared=clicked & (draws[3] < chances.p_share),
            followed=clicked & (draws[4] < chances.p_follow),
            hidden=examined & (draws[5] < chances.p_hide),
            reported=examined & (draws[6] < chances.p_report),
        )

    def _is_favourite(self, user: int, videos: Ints) -> Mask:
        favourites = self.viewers.favourites[user]
        match: Mask = (self.catalogue.author[videos][:, None] == favourites).any(axis=1)
        return match

    def _long_view_ms(self, duration_ms: Ints) -> Ints:
        return np.minimum(duration_ms, self.settings.labels.long_view_ms)

    def _p_long_view(self, log_watched: Floats, duration_ms: Ints) -> Floats:
        """Return (C,) the probability that a logistic log-share reaches the threshold."""
        log_needed = np.log(self._long_view_ms(duration_ms) / duration_ms)
        return sigmoid((log_watched - log_needed) / _WATCH_SPREAD)
