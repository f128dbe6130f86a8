"""The videos: those there at the start, and those that will arrive."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playbill.core import DAY_MS, SECOND_MS
from playbill.simulation.authors import Authors
from playbill.simulation.columns import Floats, Ints, Mask, stream
from playbill.simulation.regions import REGIONS
from playbill.simulation.settings import WorldSettings
from playbill.simulation.titles import TitleWriter
from playbill.simulation.vocabulary import TOPICS

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE_LENGTH = 6
_DURATION_SPREAD = 0.6
_DURATION_LOW_MS, _DURATION_HIGH_MS = 6_000.0, 3_600_000.0
_CROSSED_SHARE = 0.3
_RATED_SHARE = 0.02
_RESTRICTED_SHARE = 0.03


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Catalogue:
    """Columns over V videos, ordered by ``created_at_ms``; R regions."""

    video_ids: tuple[str, ...]
    titles: tuple[str, ...]
    author: Ints
    """(V,) rows of ``Authors``."""
    topics: Ints
    """(V, 2) rows of ``TOPICS``, most telling first; they may be the same one."""
    topic_weights: Floats
    """(V, 2) how much each is about them; 0 for the second of most; rows sum to 1."""
    language: Ints
    """(V,) codes into ``LANGUAGES``."""
    duration_ms: Ints
    """(V,) milliseconds."""
    age_rating: Ints
    """(V,) years."""
    shown_in: Mask
    """(V, R) where each may be shown."""
    created_at_ms: Ints
    """(V,) instants; ascending."""
    quality: Floats
    """(V,) hidden, about standard normal."""

    def arrived(self, at_ms: int) -> int:
        """Return how many videos exist at an instant: the first so many rows."""
        return int(np.searchsorted(self.created_at_ms, at_ms, side="right"))

    def topics_of(self, video: int) -> list[int]:
        """Return the topics of one video, most telling first."""
        told: list[int] = self.topics[video][self.topic_weights[video] > 0.0].tolist()
        return told


def make_catalogue(settings: WorldSettings, authors: Authors, started_at_ms: int) -> Catalogue:
    """Return the catalogue that follows from the seed and the instant the world starts at."""
    rng = stream(settings.seed, "catalogue")
    count = settings.videos + settings.arrivals
    author = rng.choice(settings.authors, size=count, p=authors.productivity)
    first = _drawn_topics(authors.topic_shares[author], rng)
    second = _drawn_topics(authors.topic_shares[author], rng)
    crossed = (second != first) & (rng.random(count) < _CROSSED_SHARE)
    medians_ms = np.array([topic.median_duration_s for topic in TOPICS]) * float(SECOND_MS)
    duration_ms = medians_ms[first] * np.exp(_DURATION_SPREAD * rng.standard_normal(count))
    rated = rng.random(count) < _RATED_SHARE
    return Catalogue(
        video_ids=_video_ids(first, settings.seed),
        titles=_titles(first, second, crossed, settings.seed),
        author=author,
        topics=np.stack([first, second], axis=1),
        topic_weights=np.where(crossed[:, None], [0.65, 0.35], [1.0, 0.0]),
        language=authors.languages[author],
        duration_ms=np.clip(duration_ms, _DURATION_LOW_MS, _DURATION_HIGH_MS).astype(np.int64),
        age_rating=np.where(rated, rng.choice([12, 16, 18], size=count), 0),
        shown_in=_shown_in(count, rng),
        created_at_ms=_created_at_ms(settings, started_at_ms),
        quality=0.6 * authors.quality[author] + 0.8 * rng.standard_normal(count),
    )


def _drawn_topics(shares: Floats, rng: np.random.Generator) -> Ints:
    """Return (V,) one topic a row, drawn by (V, T) shares."""
    noisy = np.log(np.maximum(shares, 1e-300)) + rng.gumbel(size=shares.shape)
    topics: Ints = noisy.argmax(axis=1)
    return topics


def _created_at_ms(settings: WorldSettings, started_at_ms: int) -> Ints:
    """Return (V,) instants: evenly at random before the start, a Poisson process after it."""
    rng = stream(settings.seed, "publication")
    ages_ms = rng.random(settings.videos) * settings.catalogue_days * DAY_MS
    past = started_at_ms - np.sort(ages_ms)[::-1].astype(np.int64) - 1
    mean_gap_ms = settings.day_s * SECOND_MS / settings.arrivals_per_day
    gaps_ms = rng.exponential(mean_gap_ms, size=settings.arrivals)
    future = started_at_ms + 1 + np.cumsum(gaps_ms).astype(np.int64)
    created_at_ms: Ints = np.maximum(np.concatenate([past, future]), 0)
    return created_at_ms


def _shown_in(count: int, rng: np.random.Generator) -> Mask:
    """Return (V, R): nearly all everywhere, the others in one region or a few."""
    some = rng.random((count, len(REGIONS))) < 0.3
    some[np.arange(count), rng.integers(0, len(REGIONS), size=count)] = True
    everywhere = rng.random(count) >= _RESTRICTED_SHARE
    shown_in: Mask = some | everywhere[:, None]
    return shown_in


def _video_ids(first: Ints, seed: int) -> tuple[str, ...]:
    """Return different ids: the first topic and a code drawn without replacement."""
    space = len(_ALPHABET) ** _CODE_LENGTH
    codes = stream(seed, "video-ids").choice(space, size=first.size, replace=False)
    pairs = zip(first.tolist(), codes.tolist(), strict=True)
    return tuple(f"{TOPICS[topic].name}-{_code(code)}" for topic, code in pairs)


def _code(number: int) -> str:
    digits = []
    for _ in range(_CODE_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _titles(first: Ints, second: Ints, crossed: Mask, seed: int) -> tuple[str, ...]:
    writer = TitleWriter(stream(seed, "titles"))
    rows: Sequence[tuple[int, int, bool]] = list(
        zip(first.tolist(), second.tolist(), crossed.tolist(), strict=True)
    )
    return tuple(writer.write(topic, other if both else None) for topic, other, both in rows)
