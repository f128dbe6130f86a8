"""What a video must not be, given those that are there already."""

from collections.abc import Sequence

import numpy as np

from playbill.contracts import Video
from playbill.core import Conflict, DependencyUnavailable, key64
from playbill.retrieval.view import SharedView
from playbill.serving.feed_service import ServingState
from playbill.serving.texts import Texts


class CatalogueGuard:
    """Refuse a video whose key another one has, and more of them than there is room for.

    It looks at the state of the last epoch. What slips by it, as while that state is being made
    anew, is left out by the fold and counted (``videos_without_room``).
    """

    def __init__(self, state: ServingState, texts: Texts, capacity: int) -> None:
        self._state = state
        self._texts = texts
        self._capacity = capacity

    def check(self, videos: Sequence[Video]) -> None:
        """Return if all may be posted.

        Raises:
            Conflict: the 64-bit key of one belongs to another id, here or in the same list.
            DependencyUnavailable: the catalogue is full, or has no room for a new author.
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
        if shared is None:
            return
        used = int(shared.header["items"][0])
        if used + len(named) - len(known) > self._capacity:
            raise DependencyUnavailable(
                f"the catalogue holds {used:,} videos and has room for {self._capacity:,}",
                code="item_capacity",
                hint="raise state.item_capacity in playbill.toml and restart playbill up",
            )
        _check_authors(shared, {key64(video.author_id) for video in videos})


def _check_authors(shared: SharedView, authors: set[int]) -> None:
    """Refuse new authors beyond the room for them; who is known matters only near its end."""
    used, capacity = int(shared.header["authors"][0]), len(shared.authors)
    if used + len(authors) <= capacity:
        return
    known = np.isin(np.array(list(authors), np.uint64), shared.authors["key"][:used])
    if used + int((~known).sum()) > capacity:
        raise DependencyUnavailable(
            f"the catalogue knows {used:,} authors and has room for {capacity:,}",
            code="item_capacity",
            hint="raise state.group_capacity in playbill.toml and restart playbill up",
        )


def _taken(video_id: str) -> Conflict:
    return Conflict(
        f"video_id {video_id!r} has the same 64-bit key as another video",
        code="video_key_taken",
        field="video_id",
        hint="choose another id",
    )
