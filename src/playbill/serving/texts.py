"""Words that a store knows: captions by key, names of topics and authors; remembered."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from playbill.core import DependencyUnavailable, key64
from playbill.features import (
    NO_TOPIC,
    Caption,
    CaptionEntry,
    CatalogueEntry,
    author_text_key,
    decode_caption,
    decode_entry,
    topic_text_key,
    video_text_key,
)

_REMEMBERED = 20_000
ReadTexts = Callable[[Sequence[bytes]], list[bytes | None]]


class Texts:
    """Captions by key. A take-down shows in item state, so old words do no harm."""

    def __init__(self, read: ReadTexts) -> None:
        self._read = read
        self._known: OrderedDict[int, CaptionEntry] = OrderedDict()
        self._names: OrderedDict[bytes, str] = OrderedDict()

    def videos(self, keys: Sequence[int]) -> list[Caption | None]:
        """Return the captions of several keys, None for one that cannot be found now."""
        self._learn(keys)
        known = self._known
        return [known[key].video if key in known else None for key in keys]

    def rows(self, keys: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the rows of those keys that belong to a video."""
        self._learn(keys)
        known = self._known
        return np.array([known[key].row for key in keys if key in known], np.int64)

    def rows_of(self, keys: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the row of each key, -1 where it belongs to no video that can be found now."""
        self._learn(keys)
        known = self._known
        return np.array([known[key].row if key in known else -1 for key in keys], np.int64)

    def named(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the ids of those keys that belong to a video."""
        found = zip(keys, self.videos(keys), strict=True)
        return {key: video.video_id for key, video in found if video is not None}

    def entry(self, video_id: str) -> CatalogueEntry | None:
        """Return the newest catalogue entry of a video id, None where nobody posted it.

        Raises:
            DependencyUnavailable: the store cannot be read, so nobody can say.
        """
        (found,) = self._read([video_text_key(key64(video_id))])
        entry = None if found is None else decode_entry(found)
        return None if entry is None or entry.video.video_id != video_id else entry

    def topic(self, topic: int) -> str:
        """Return a topic's name, a question mark where it cannot be found now."""
        return self.topic_name(topic) or "?"

    def author(self, author: int) -> str:
        """Return an author's id, a question mark where it cannot be found now."""
        return self.author_name(author) or "?"

    def topic_name(self, topic: int) -> str | None:
        """Return a topic's name, None where it cannot be found now, or is none's."""
        return None if topic == NO_TOPIC else self._name(topic_text_key(topic))

    def author_name(self, author: int) -> str | None:
        """Return an author's id, None where it cannot be found now."""
        return self._name(author_text_key(author))

    def _learn(self, keys: Sequence[int]) -> None:
        missing = [key for key in keys if key not in self._known]
        if not missing:
            return
        for key, entry in zip(missing, self._entries(missing), strict=True):
            if entry is not None:
                self._known[key] = entry
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _entries(self, keys: Sequence[int]) -> list[CaptionEntry | None]:
        try:
            found = self._read([video_text_key(key) for key in keys])
        except DependencyUnavailable:
            return [None] * len(keys)
        return [None if data is None else decode_caption(data) for data in found]

    def _name(self, key: bytes) -> str | None:
        known = self._names.get(key)
        if known is not None:
            return known
        try:
            (found,) = self._read([key])
        except DependencyUnavailable:
            return None
        if not found:
            return None
        name = self._names[key] = found.decode()
        if len(self._names) > _REMEMBERED:
            self._names.popitem(last=False)
        return name
