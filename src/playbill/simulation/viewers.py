"""The people who watch, and what they like without saying so."""

from dataclasses import dataclass

import numpy as np

from playbill.core import InvalidInput
from playbill.simulation.authors import Authors
from playbill.simulation.columns import Floats, Ints, Mask, stream
from playbill.simulation.regions import (
    ENGLISH,
    LANGUAGES,
    REGION_SHARES,
    REGIONS,
    language_shares,
)
from playbill.simulation.settings import WorldSettings
from playbill.simulation.topics import KINSHIP, TOPIC_COUNT, pick_topics, topic_popularity

FAVOURITES = 4
_LIKED_AT_MOST = 5
_DISLIKED = 2
_KIN_TASTE = 0.25
_ID_PREFIX = "viewer-"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Viewers:
    """Columns over U viewers; T topics, F favourite authors, L languages."""

    taste: Floats
    """(U, T) about 1 for what a viewer loves, 0 for what leaves cold, negative for dislike."""
    favourites: Ints
    """(U, F) rows of ``Authors``; may repeat."""
    follows: Ints
    """(U,) how many of the favourites the viewer follows when the world starts."""
    chose_interests: Mask
    """(U,) True for those who named topics at sign-up."""
    region: Ints
    """(U,) rows of ``REGIONS``."""
    language: Ints
    """(U,) codes into ``LANGUAGES``."""
    language_logit: Floats
    """(U, L) what a video's language adds to the logit of a click; never positive."""
    age: Ints
    """(U,) years."""
    activity: Floats
    """(U,) visits relative to each other; mean about 1, a long tail."""
    eagerness: Floats
    """(U,) added to the logit of every click."""
    depth: Floats
    """(U,) the position that 37 of 100 visits still reach; reach falls exponentially."""


def viewer_id(user: int) -> str:
    """Return the id of a viewer's row."""
    return f"{_ID_PREFIX}{user:05d}"


def viewer_row(user_id: str) -> int:
    """Return the row of a viewer's id.

    Raises:
        InvalidInput: no world made this id.
    """
    number = user_id.removeprefix(_ID_PREFIX)
    if number == user_id or not (number.isascii() and number.isdigit()):
        raise InvalidInput(
            f"{user_id!r} is not a viewer of a simulated world; ids look like {viewer_id(1)!r}",
            field="user_id",
        )
    return int(number)


def make_viewers(settings: WorldSettings, authors: Authors) -> Viewers:
    """Return the viewers that follow from the settings' seed."""
    rng = stream(settings.seed, "viewers")
    count = settings.users
    region = rng.choice(len(REGIONS), size=count, p=REGION_SHARES)
    spoken = np.cumsum(language_shares()[region], axis=1)
    language = (rng.random(count)[:, None] * spoken[:, -1:] >= spoken).sum(axis=1)
    liked, taste = _tastes(settings, region)
    return Viewers(
        taste=taste,
        favourites=_favourites(liked, language, authors, settings.seed),
        follows=np.minimum(rng.poisson(1.2, size=count), FAVOURITES),
        chose_interests=rng.random(count) < 0.5,
        region=region,
        language=language,
        language_logit=_language_logits(language, rng),
        age=np.clip(13.0 + rng.gamma(2.2, 9.0, size=count), 13, 90).astype(np.int64),
        activity=np.exp(1.1 * rng.standard_normal(count) - 0.6),
        eagerness=0.4 * rng.standard_normal(count),
        depth=np.clip(np.exp(np.log(8.0) + 0.5 * rng.standard_normal(count)), 2.0, 40.0),
    )


def _tastes(settings: WorldSettings, region: Ints) -> tuple[Ints, Floats]:
    """Return (U, 5) topics in order of liking and (U, T) tastes."""
    rng = stream(settings.seed, "tastes")
    count = region.size
    local = 0.5 * rng.standard_normal((len(REGIONS), TOPIC_COUNT))
    log_shares = np.log(topic_popularity(settings.seed)) + local[region]
    drawn = pick_topics(log_shares, _LIKED_AT_MOST + _DISLIKED, rng, kin_bonus=1.5)
    liked = drawn[:, :_LIKED_AT_MOST]
    strength = np.exp(-0.35 * np.arange(_LIKED_AT_MOST)) * rng.uniform(
        0.75, 1.15, (count, _LIKED_AT_MOST)
    )
    strength *= np.arange(_LIKED_AT_MOST) < rng.integers(2, _LIKED_AT_MOST + 1, count)[:, None]
    taste = np.zeros((count, TOPIC_COUNT))
    np.put_along_axis(taste, liked, strength, axis=1)
    taste = np.maximum(taste, _KIN_TASTE * (taste @ KINSHIP).clip(max=1.0))
    disliked = drawn[:, _LIKED_AT_MOST:]
    np.put_along_axis(taste, disliked, -rng.uniform(0.2, 0.7, disliked.shape), axis=1)
    return liked, taste


def _language_logits(language: Ints, rng: np.random.Generator) -> Floats:
    """Return (U, L): nothing lost in one's own language, little in English for those who know it.

    Nine in twenty of those who speak another language at home understand English well.
    """
    count = language.size
    logits = np.full((count, len(LANGUAGES)), -2.5)
    understands = rng.random(count) < 0.45
    logits[:, ENGLISH] = np.where(understands, -0.4, -1.6)
    logits[np.arange(count), language] = 0.0
    return logits


def _favourites(liked: Ints, language: Ints, authors: Authors, seed: int) -> Ints:
    """Return (U, F) authors of liked topics; of three drawn a place, one's own language wins."""
    rng = stream(seed, "favourites")
    count = liked.shape[0]
    places = rng.integers(0, 2, size=(count, FAVOURITES))
    topics = np.take_along_axis(liked, places, axis=1)
    chosen = np.zeros((count, FAVOURITES), dtype=np.int64)
    weights = authors.topic_shares * authors.productivity[:, None]
    for topic in range(TOPIC_COUNT):
        rows, columns = np.nonzero(topics == topic)
        cumulative = np.cumsum(weights[:, topic])
        if not rows.size or cumulative[-1] <= 0.0:
            continue
        draws = rng.random((rows.size, 3)) * cumulative[-1]
        drawn = np.searchsorted(cumulative, draws, side="right").clip(max=cumulative.size - 1)
        own = authors.languages[drawn] == language[rows][:, None]
        chosen[rows, columns] = drawn[np.arange(rows.size), own.argmax(axis=1)]
    return chosen
