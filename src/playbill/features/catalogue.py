"""How posted and taken-down videos change item state."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

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

Texts = dict[bytes, bytes]
ReadTexts = Callable[[Sequence[bytes]], list[bytes | None]]


def fold_videos(
    state: FeatureState, videos: Sequence[StoredVideo], regions: dict[str, int], texts: Texts
) -> list[int]:
    """Write posted videos into item state and their words into ``texts``; return their rows.

    A video posted again keeps its sums and its first ``created_at_ms``. A new one that finds the
    tables full is left out: servers refuse those, so only a race gets this far.

    Args:
        regions: codes of the declared regions, from 1.
    """
    rows = []
    for video in videos:
        if not state.has_room(video.key, key64(video.author_id)):
            continue
        author = state.authors.add(key64(video.author_id))
        topics = [state.topic(name) for name in video.topics]
        known = state.items.row(video.key) >= 0
        row = state.items.add(video.key)
        item = state.items.records[row]
        if not known:
            item["created_at_ms"] = video.created_at_ms
            state.authors.records[author]["items"] += 1
        item["author"] = author
        item["duration_ms"] = video.duration_ms
        item["topics"] = NO_TOPIC
        item["topics"][: len(topics)] = topics[:TOPICS_PER_ITEM]
        item["regions"] = sum(1 << (regions[name] - 1) for name in video.regions if name in regions)
        item["language"] = language_code(video.language)
        item["flags"] = VISIBLE if video.visible else 0
        item["age_rating"] = video.age_rating
        texts[video_text_key(video.key)] = encode_entry(row, video)
        texts[author_text_key(author)] = video.author_id.encode()
        for topic, name in zip(topics, video.topics, strict=True):
            if topic != NO_TOPIC:
                texts[topic_text_key(topic)] = name.encode()
        rows.append(row)
    return rows


def fold_takedowns(
    state: FeatureState, takedowns: Sequence[Takedown], texts: Texts, read: ReadTexts
) -> list[int]:
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
    if rows:
        state.trending.drop(np.array(rows, np.int64))
    return rows
