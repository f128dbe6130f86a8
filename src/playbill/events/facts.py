"""Catalogue entries and viewers' facts on their way into the log."""

from playbill.contracts import StoredUser, StoredVideo, User, Video
from playbill.core import key64
from playbill.events.admission import Vocabulary
from playbill.events.instants import instant_ms
from playbill.privacy import Pseudonyms


def store_video(video: Video, at_ms: int, regions: Vocabulary) -> StoredVideo:
    """Return a video with every default resolved, as posted at an instant.

    Raises:
        InvalidInput: a region that nobody declared, or a ``created_at`` before 1970.
    """
    for region in video.regions:
        regions.code(region)
    created = video.created_at
    created_ms = at_ms if created is None else instant_ms(created, "created_at")
    return StoredVideo(
        key=key64(video.video_id),
        video_id=video.video_id,
        author_id=video.author_id,
        title=video.title,
        topics=list(dict.fromkeys(video.topics)),
        language=video.language,
        duration_ms=video.duration_ms,
        regions=video.regions,
        age_rating=video.age_rating,
        created_at_ms=min(created_ms, at_ms),
        posted_at_ms=at_ms,
    )


def store_user(user: User, at_ms: int, pseudonyms: Pseudonyms, regions: Vocabulary) -> StoredUser:
    """Return a viewer's facts under the pseudonym.

    Raises:
        InvalidInput: a region that nobody declared.
    """
    regions.code(user.region)
    return StoredUser(
        user=pseudonyms.user(user.user_id),
        at_ms=at_ms,
        region=user.region,
        language=user.language,
        age=user.age,
        follows=user.follows,
        interests=user.interests,
    )
