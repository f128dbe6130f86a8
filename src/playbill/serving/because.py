"""One sentence for people on why a video stands where it stands."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from playbill.features import FEATURE_NAMES

FAMILIARITY = np.array(
    [FEATURE_NAMES.index(name) for name in ("user_topic_long_views", "user_author_impressions")]
)
"""Features that the sentence may rest on: the viewer's acquaintance with topic and author."""
_FAMILIAR = 0.7
"""log(1 + 1): about one long view, decayed."""
_PLAIN = {
    "similar": "Like videos you watched",
    "next": "Often watched after videos you watched",
    "vector": "Picked for you",
}


class Words(Protocol):
    """Where names are found; None for one that cannot be found now."""

    def topic_name(self, topic: int) -> str | None:
        """Return the name of a topic's number."""
        ...

    def author_name(self, author: int) -> str | None:
        """Return the id of an author's row."""
        ...


def because(
    words: Words,
    source: str,
    about: tuple[int, int],
    region: str | None,
    familiarity: Sequence[float] | None,
) -> str:
    """Return the sentence for one video; it names only what the viewer did or what is public.

    Args:
        words: names of topics and authors, asked for where the sentence has one.
        source: which candidate source found it.
        about: the number of its first topic, ``NO_TOPIC`` for none, and the row of its author.
        region: where the viewer is, None where nobody knows.
        familiarity: the video's features of ``FAMILIARITY``, None where none were read.
    """
    topic, author = about
    if source == "followed":
        name = words.author_name(author)
        return f"You follow {name}" if name else "By somebody you follow"
    if source == "explore":
        return "New to most people: a first look"
    if familiarity is not None:
        with_topic, with_author = familiarity
        name = words.topic_name(topic) if with_topic >= _FAMILIAR else None
        if name:
            return f"Because you watch {name}"
        name = words.author_name(author) if with_author >= _FAMILIAR else None
        if name:
            return f"More from {name}"
    if source == "fresh":
        name = words.topic_name(topic)
        return f"New in {name}" if name else "New"
    if source == "trending" and region:
        return f"Popular in {region}"
    return _PLAIN.get(source, "Popular right now")
