"""One sentence for people on why a video stands where it stands."""

from playbill.contracts import StoredVideo
from playbill.features import FEATURE_NAMES

_TOPIC = FEATURE_NAMES.index("user_topic_long_views")
_AUTHOR = FEATURE_NAMES.index("user_author_impressions")
_FAMILIAR = 0.7
"""log(1 + 1): about one long view, decayed."""


def because(
    source: str, video: StoredVideo, region: str | None, features: "list[float] | None"
) -> str:
    """Return the sentence for one video; it names only what the viewer did or what is public.

    Args:
        features: the video's feature vector, None where no features were read.
    """
    topic = video.topics[0] if video.topics else None
    if source == "followed":
        return f"You follow {video.author_id}"
    if source == "explore":
        return "New to most people: a first look"
    if features is not None:
        if topic and features[_TOPIC] >= _FAMILIAR:
            return f"Because you watch {topic}"
        if features[_AUTHOR] >= _FAMILIAR:
            return f"More from {video.author_id}"
    if source == "trending":
        return f"Popular in {region}" if region else "Popular right now"
    if source == "fresh":
        return f"New in {topic}" if topic else "New"
    if source == "similar":
        return "Like videos you watched"
    if source == "vector":
        return "Picked for you"
    return "Popular right now"
