"""One video of a feed as a person reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

from playbill.console.art import Poster, hue_of, poster_of
from playbill.console.comparing import Comparison, first_topic
from playbill.console.showing import Act, Shown
from playbill.console.wording import age_words, clock_words
from playbill.contracts import FeedItem, VideoView


@dataclass(frozen=True, slots=True)
class TopicTag:
    """A topic and its colour."""

    name: str
    hue: int


@dataclass(frozen=True, slots=True)
class Button:
    """One act on a card, and whether it was sent."""

    act: Act
    label: str
    done_label: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a card says."""

    position: int
    video_id: str
    title: str
    author: str | None
    topics: tuple[TopicTag, ...]
    length: str | None
    age: str | None
    score: str
    source: str
    propensity: str | None
    """None when chance had no part in this place."""
    because: str
    poster: Poster
    is_new: bool
    buttons: tuple[Button, ...]


_BY_CHANCE = 0.5
"""Every place has a propensity; only those that chance filled have one so small."""
_LABELS = (
    (Act.WATCH, "Watch", "Watched"),
    (Act.LIKE, "Like", "Liked"),
    (Act.SKIP, "Skip", "Skipped"),
    (Act.HIDE, "Hide", "Hidden"),
)
DONE_WORDS: dict[Act, str] = {act: done.lower() for act, _, done in _LABELS}
"""Each act in the past tense, for a sentence."""


def cards_of(
    shown: Shown, videos: Sequence[VideoView | None], comparison: Comparison
) -> list[Card]:
    """Return the cards of a feed, in its order."""
    return [
        _card(shown, item, video, is_new=item.position in comparison.new_positions)
        for item, video in zip(shown.reply.items, videos, strict=True)
    ]


def _card(shown: Shown, item: FeedItem, video: VideoView | None, *, is_new: bool) -> Card:
    return Card(
        position=item.position,
        video_id=item.video_id,
        title=(video.title if video else "") or item.video_id,
        author=video.author_id if video else None,
        topics=tuple(TopicTag(topic, hue_of(topic)) for topic in video.topics) if video else (),
        length=clock_words(video.duration_ms) if video else None,
        age=age_words(shown.reply.served_at - video.created_at_ms) if video else None,
        score=f"{item.score:.3f}",
        source=item.source.replace("_", " "),
        propensity=f"{item.propensity:.3f}" if item.propensity < _BY_CHANCE else None,
        because=item.because,
        poster=poster_of(item.video_id, first_topic(video)),
        is_new=is_new,
        buttons=tuple(
            Button(act, label, done, is_done=shown.was_done(item.position, act))
            for act, label, done in _LABELS
            if video is not None or act is not Act.WATCH
        ),
    )
