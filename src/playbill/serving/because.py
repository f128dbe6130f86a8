"""One sentence for people on why a video stands where it stands."""

from collections.abc import Sequence

from playbill.features import FEATURE_NAMES, Caption

FAMILIARITY = [
    FEATURE_NAMES.index(name) for name in ("user_topic_long_views", "user_author_impressions")
]
"""Features that the sentence may rest on: the viewer's acquaintance with topic and author."""
_FAMILIAR = 0.7
"""log(1 + 1): about one long view, decayed."""


def because(
    source: str, video: Caption, region: str | None, familiarity: Sequence[float] | None
) -> str:
    """Return the sentence for one video; it names only what the viewer did or what is public.

    Args:
        familiarity: the video's features of ``FAMILIARITY``, None where none were read.
    """
    topic = video.topics[0] if video.topics else None
    if source == "followed":
        return f"You follow {video.author_id}"
    if source == "explore":
        return "New to most people: a first look"
    if familiarity is not None:
        with_topic, with_author = familiarity
        if topic and with_topic >= _FAMILIAR:
            return f"Because you watch {topic}"
        if with_author >= _FAMILIAR:
            return f"More from {video.author_id}"
    if source == "trending":
        return f"Popular in {region}" if region else "Popular right now"
    if source == "fresh":
        return f"New in {topic}" if topic else "New"
    if source == "similar":
        return "Like videos you watched"
    if source == "next":
        return "Often watched after videos you watched"
    if source == "vector":
        return "Picked for you"
    return "Popular right now"
