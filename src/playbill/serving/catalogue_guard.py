"""What a video must not be, given those that are there already."""

from collections.abc import Sequence

from playbill.contracts import Video
from playbill.core import Conflict, DependencyUnavailable, key64
from playbill.serving.feed_service import ServingState
from playbill.serving.texts import Texts


class CatalogueGuard:
    """Refuse a video whose key another one has, and more videos than there is room for."""

    def __init__(self, state: ServingState, texts: Texts, capacity: int) -> None:
        self._state = state
        self._texts = texts
        self._capacity = capacity

    def check(self, videos: Sequence[Video]) -> None:
        """Return if all may be posted.

        Raises:
            Conflict: the 64-bit key of one belongs to another id, here or in the same list.
            DependencyUnavailable: the catalogue is full.
        """
        named: dict[int, str] = {}
        for video in videos:
            key = key64(video.video_id)
            if named.setdefault(key, video.video_id) != video.video_id:
                raise _taken(video.video_id)
        known = self._texts.named(list(named))
        for key, name in known.items():
            if named[key] != name:
                raise _taken(named[key])
        shared = self._state.shared
        used = 0 if shared is None else int(shared.header["items"][0])
        if used + len(named) - len(known) > self._capacity:
            raise DependencyUnavailable(
                f"the catalogue holds {used:,} videos and has room for {self._capacity:,}",
                code="item_capacity",
                hint="raise state.item_capacity in playbill.toml and restart playbill up",
            )


def _taken(video_id: str) -> Conflict:
    return Conflict(
        f"video_id {video_id!r} has the same 64-bit key as another video",
        code="video_key_taken",
        field="video_id",
        hint="choose another id",
    )
