"""Words for rows: catalogue entries and names, read from the store and remembered."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from playbill.contracts import StoredVideo
from playbill.core import DependencyUnavailable, key64
from playbill.features import (
    CatalogueEntry,
    author_text_key,
    decode_entry,
    topic_text_key,
    video_text_key,
)

_REMEMBERED = 100_000
ReadTexts = Callable[[Sequence[bytes]], list[bytes | None]]


class Texts:
    """Catalogue entries by key. A take-down shows in item state, so old words do no harm."""

    def __init__(self, read: ReadTexts) -> None:
        self._read = read
        self._videos: OrderedDict[int, StoredVideo] = OrderedDict()

    def videos(self, keys: Sequence[int]) -> list[StoredVideo | None]:
        """Return the videos of several keys, None for one that cannot be found now."""
        missing = [key for key in keys if key not in self._videos]
        if missing:
            for key, entry in zip(missing, self._entries(missing), strict=True):
                if entry is not None:
                    self._videos[key] = entry.video
            while len(self._videos) > _REMEMBERED:
                self._videos.popitem(last=False)
        return [self._videos.get(key) for key in keys]

    def named(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the ids of those keys that belong to a video."""
        found = self.videos(keys)
        return {
            key: video.video_id for key, video in zip(keys, found, strict=True) if video is not None
        }

    def entry(self, video_id: str) -> CatalogueEntry | None:
        """Return the newest catalogue entry of a video id."""
        return self._entries([key64(video_id)])[0]

    def rows(self, video_ids: Sequence[str]) -> list[int]:
        """Return the rows of those video ids that are known."""
        entries = self._entries([key64(name) for name in video_ids])
        return [entry.row for entry in entries if entry is not None]

    def topic(self, topic: int) -> str:
        """Return a topic's name."""
        return self._name(topic_text_key(topic))

    def author(self, author: int) -> str:
        """Return an author's id."""
        return self._name(author_text_key(author))

    def _entries(self, keys: Sequence[int]) -> list[CatalogueEntry | None]:
        try:
            found = self._read([video_text_key(key) for key in keys])
        except DependencyUnavailable:
            return [None] * len(keys)
        return [None if data is None else decode_entry(data) for data in found]

    def _name(self, key: bytes) -> str:
        (found,) = self._read([key])
        return found.decode() if found else "?"
