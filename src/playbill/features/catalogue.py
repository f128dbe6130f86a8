"""How posted and taken-down videos change item state."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import StoredVideo, Takedown
from playbill.core import key64
from playbill.features.layout import NO_TOPIC, TOPICS_PER_ITEM, VISIBLE
from playbill.features.state import FeatureState, language_code
from playbill.features.texts import (
    author_text_key,
    decode_entry,
    encode_entry,
    topic_text_key,
    video_text_key,
)
from playbill.features.words import title_words

Texts = dict[bytes, bytes]
ReadTexts = Callable[[Sequence[bytes]], list[bytes | None]]


def fold_videos(
    state: FeatureState, videos: Sequence[StoredVideo], regions: dict[str, int], texts: Texts
) -> npt.NDArray[np.int64]:
    """Write posted videos into item state and their words into ``texts``; return their rows.

    A video posted again keeps its sums and its first ``created_at_ms``.

    Args:
        videos: those of ``videos_that_fit``.
        regions: codes of the declared regions, from 1.
    """
    if not videos:
        return np.empty(0, np.int64)
    known = state.items.count
    authors = state.authors.add_many(_keys(video.author_id for video in videos))
    topics = _topics(state, videos, texts)
    rows = state.items.add_many(np.array([video.key for video in videos], np.uint64))
    items = state.items.records
    _, firsts = np.unique(rows, return_index=True)
    new = firsts[rows[firsts] >= known]
    items["created_at_ms"][rows[new]] = [videos[n].created_at_ms for n in new]
    np.add.at(state.authors.records["items"], authors[new], 1)
    state.names.put(rows, [video.video_id for video in videos])
    items["author"][rows] = authors
    items["topics"][rows] = topics
    items["duration_ms"][rows] = [video.duration_ms for video in videos]
    items["regions"][rows] = [_region_bits(video, regions) for video in videos]
    items["language"][rows] = [language_code(video.language) for video in videos]
    items["words"][rows] = [title_words(video.title) for video in videos]
    items["flags"][rows] = [_flags(video, regions) for video in videos]
    items["age_rating"][rows] = [video.age_rating for video in videos]
    created_ms = items["created_at_ms"][rows].tolist()
    for row, author, video, first_ms in zip(
        rows.tolist(), authors.tolist(), videos, created_ms, strict=True
    ):
        kept = msgspec.structs.replace(video, created_at_ms=first_ms)
        texts[video_text_key(video.key)] = encode_entry(row, kept)
        texts[author_text_key(author)] = video.author_id.encode()
    return rows


def first_of_each_key(
    state: FeatureState, videos: Sequence[StoredVideo], read: ReadTexts
) -> Sequence[StoredVideo]:
    """Return the videos whose key no other id has: the first one posted under a key keeps it.

    Servers refuse the second one, so only two processes at one moment get this far. A store that
    is ahead of the state names the same first one, since it never changes.
    """
    rows = state.items.rows(np.array([video.key for video in videos], np.uint64))
    known = [video.key for video, row in zip(videos, rows, strict=True) if row >= 0]
    found = read([video_text_key(key) for key in known]) if known else []
    ids = {
        key: decode_entry(data).video.video_id
        for key, data in zip(known, found, strict=True)
        if data is not None
    }
    return [
        video for video in videos if ids.setdefault(video.key, video.video_id) == video.video_id
    ]


def videos_that_fit(state: FeatureState, videos: Sequence[StoredVideo]) -> Sequence[StoredVideo]:
    """Return the videos for which, and for whose authors, there is room.

    Servers and imports refuse the others, so only a race, or a server that does not see the state
    yet, gets this far. Asked one by one only near the end of the room.
    """
    count = len(videos)
    if (
        state.items.count + count <= state.item_capacity
        and state.authors.count + count <= state.group_capacity
    ):
        return videos
    kept, items, authors = [], set[int](), set[int]()
    for video in videos:
        author = key64(video.author_id)
        new_item = state.items.row(video.key) < 0 and video.key not in items
        new_author = state.authors.row(author) < 0 and author not in authors
        if (
            state.items.count + len(items) + new_item <= state.item_capacity
            and state.authors.count + len(authors) + new_author <= state.group_capacity
        ):
            kept.append(video)
            if new_item:
                items.add(video.key)
            if new_author:
                authors.add(author)
    return kept


def _topics(
    state: FeatureState, videos: Sequence[StoredVideo], texts: Texts
) -> npt.NDArray[np.uint16]:
    """Return (N, 4) the numbers of each video's topics, ``NO_TOPIC`` where there is none."""
    numbers: dict[str, int] = {}
    table = np.full((len(videos), TOPICS_PER_ITEM), NO_TOPIC, np.uint16)
    for n, video in enumerate(videos):
        for place, name in enumerate(video.topics[:TOPICS_PER_ITEM]):
            topic = numbers.get(name)
            if topic is None:
                topic = numbers[name] = state.topic(name)
            table[n, place] = topic
    for name, topic in numbers.items():
        if topic != NO_TOPIC:
            texts[topic_text_key(topic)] = name.encode()
    return table


def _flags(video: StoredVideo, regions: dict[str, int]) -> int:
    """Return whether a video is shown; nowhere, where no region of its own is declared any more.

    No bits at all would mean everywhere.
    """
    somewhere = not video.regions or any(name in regions for name in video.regions)
    return VISIBLE if video.visible and somewhere else 0


def _region_bits(video: StoredVideo, regions: dict[str, int]) -> int:
    return sum(1 << (regions[name] - 1) for name in video.regions if name in regions)


def _keys(names: Iterable[str]) -> npt.NDArray[np.uint64]:
    return np.array([key64(name) for name in names], np.uint64)


def fold_takedowns(
    state: FeatureState, takedowns: Sequence[Takedown], texts: Texts, read: ReadTexts
) -> npt.NDArray[np.int64]:
    """Hide videos from every feed; return their rows. An unknown one changes nothing."""
    rows = []
    for takedown in takedowns:
        row = state.items.row(takedown.key)
        if row < 0:
            continue
        state.items.records[row]["flags"] = 0
        key = video_text_key(takedown.key)
        stored = texts.get(key) or read([key])[0]
        if stored is not None:
            entry = decode_entry(stored)
            hidden = msgspec.structs.replace(entry.video, visible=False)
            texts[key] = encode_entry(row, hidden)
        rows.append(row)
    hidden_rows = np.array(rows, np.int64)
    state.trending.drop(hidden_rows)
    return hidden_rows
