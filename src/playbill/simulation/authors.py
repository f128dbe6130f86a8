"""Who makes the videos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playbill.simulation.columns import Floats, Ints, stream
from playbill.simulation.regions import LANGUAGES, REGION_SHARES, REGIONS, language_shares
from playbill.simulation.settings import WorldSettings
from playbill.simulation.topics import TOPIC_COUNT, pick_topics, topic_popularity
from playbill.simulation.vocabulary import TOPICS
from playbill.simulation.vocabulary.names import ADJECTIVES, FIRST_NAMES

_FORMS = (
    "{first}_{noun}",
    "{first}.{noun}",
    "the_{adjective}_{noun}",
    "{noun}_with_{first}",
    "{adjective}.{noun}.{first}",
)
_TOPICS_AT_MOST = 3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Authors:
    """Columns over A authors and T topics."""

    handles: tuple[str, ...]
    """Readable ids, all different."""
    topic_shares: Floats
    """(A, T) the share of an author's work on each of one to three topics; rows sum to 1."""
    languages: Ints
    """(A,) codes into ``LANGUAGES``."""
    productivity: Floats
    """(A,) the share of all videos that each makes; Zipf-like, sums to 1."""
    quality: Floats
    """(A,) hidden, about standard normal."""


def make_authors(settings: WorldSettings) -> Authors:
    """Return the authors that follow from the settings' seed."""
    rng = stream(settings.seed, "authors")
    count = settings.authors
    topics = pick_topics(
        np.tile(np.log(topic_popularity(settings.seed)), (count, 1)),
        _TOPICS_AT_MOST,
        rng,
        kin_bonus=2.5,
    )
    regions = rng.choice(len(REGIONS), size=count, p=REGION_SHARES)
    spoken = np.cumsum(language_shares()[regions], axis=1)
    languages = (rng.random(count)[:, None] * spoken[:, -1:] >= spoken).sum(axis=1)
    zipf = 1.0 / (rng.permutation(count) + 20.0) ** 0.8
    return Authors(
        handles=_handles(topics[:, 0], rng),
        topic_shares=_shares(topics, rng),
        languages=np.minimum(languages, len(LANGUAGES) - 1),
        productivity=zipf / zipf.sum(),
        quality=rng.standard_normal(count),
    )


def _shares(topics: Ints, rng: np.random.Generator) -> Floats:
    """Return (A, T) shares: the first topic leads, the others are there or not by chance."""
    count = topics.shape[0]
    kept = np.ones((count, _TOPICS_AT_MOST))
    kept[:, 1] = rng.random(count) < 0.6
    kept[:, 2] = kept[:, 1] * (rng.random(count) < 0.4)
    weights = kept * np.array([1.0, 0.5, 0.3])
    shares = np.zeros((count, TOPIC_COUNT))
    np.put_along_axis(shares, topics, weights / weights.sum(axis=1, keepdims=True), axis=1)
    return shares


def _handles(first_topics: Ints, rng: np.random.Generator) -> tuple[str, ...]:
    taken: dict[str, None] = {}
    for topic in first_topics.tolist():
        handle = _handle(TOPICS[topic].handles, rng)
        for _ in range(8):
            if handle not in taken:
                break
            handle = _handle(TOPICS[topic].handles, rng)
        if handle in taken:
            handle = f"{handle}_{len(taken)}"
        taken[handle] = None
    return tuple(taken)


def _handle(nouns: Sequence[str], rng: np.random.Generator) -> str:
    form, first, adjective, noun = rng.integers(0, 1 << 30, size=4).tolist()
    return _FORMS[form % len(_FORMS)].format(
        first=FIRST_NAMES[first % len(FIRST_NAMES)],
        adjective=ADJECTIVES[adjective % len(ADJECTIVES)],
        noun=nouns[noun % len(nouns)],
    )
