"""What changed from the feed before to this one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from playbill.console.art import hue_of
from playbill.console.showing import Act, Shown
from playbill.contracts import VideoView

MAX_TOPIC_ROWS = 10
NO_TOPIC = "no topic"


@dataclass(frozen=True, slots=True)
class TopicChange:
    """How much of a feed one topic takes up."""

    topic: str
    hue: int
    before: int | None
    """Videos in the feed before; None when there was none."""
    now: int
    before_percent: int
    now_percent: int
    before_width: int
    """Of the widest bar, in percent."""
    now_width: int
    to_watch: int
    """Videos of this feed that were not watched yet."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two feeds side by side, by each video's first topic."""

    changes: tuple[TopicChange, ...]
    left_out: int
    """Topics that the rows had no room for."""
    new_positions: frozenset[int]
    """Cards whose video was not in the feed before; empty when there was none."""
    has_before: bool


def first_topic(video: VideoView | None) -> str:
    """Return what a video is mostly about."""
    return video.topics[0] if video is not None and video.topics else NO_TOPIC


def compare(
    shown: Shown,
    videos: Sequence[VideoView | None],
    before: Shown | None,
    before_videos: Sequence[VideoView | None],
) -> Comparison:
    """Return how a feed differs from the one before, largest change of a topic first."""
    now_topics = [first_topic(video) for video in videos]
    unwatched = Counter(
        topic
        for item, topic in zip(shown.reply.items, now_topics, strict=True)
        if not shown.was_done(item.position, Act.WATCH)
    )
    now = Counter(now_topics)
    then = Counter(first_topic(video) for video in before_videos)
    widest = max(
        (_percent(count, of.total()) for of in (now, then) for count in of.values()), default=0
    )
    changes = sorted(
        (
            TopicChange(
                topic=topic,
                hue=hue_of(topic),
                before=then[topic] if before else None,
                now=now[topic],
                before_percent=_percent(then[topic], then.total()),
                now_percent=_percent(now[topic], now.total()),
                before_width=_percent(_percent(then[topic], then.total()), widest),
                now_width=_percent(_percent(now[topic], now.total()), widest),
                to_watch=0 if topic == NO_TOPIC else unwatched[topic],
            )
            for topic in now | then
        ),
        key=lambda row: (-abs(row.now - (row.before or 0)), -row.now, row.topic),
    )
    return Comparison(
        changes=tuple(changes[:MAX_TOPIC_ROWS]),
        left_out=max(len(changes) - MAX_TOPIC_ROWS, 0),
        new_positions=_new_positions(shown, before),
        has_before=before is not None,
    )


def _percent(count: int, total: int) -> int:
    return round(100 * count / total) if total else 0


def _new_positions(shown: Shown, before: Shown | None) -> frozenset[int]:
    if before is None:
        return frozenset()
    seen = {item.video_id for item in before.reply.items}
    return frozenset(item.position for item in shown.reply.items if item.video_id not in seen)
