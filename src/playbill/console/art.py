"""A picture for a video that has none: the same video always gets the same one."""

from dataclasses import dataclass

from playbill.core import key64

HUES = 24
"""Colour classes ``hue-0`` to ``hue-23`` in the style sheet."""
_SHAPE_BYTES = 8
_SALT = "6055:"


@dataclass(frozen=True, slots=True)
class Disc:
    """One circle of a picture, in a frame 160 wide and 90 high."""

    x: int
    y: int
    radius: int


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands in for a thumbnail."""

    initial: str
    hue: int
    discs: tuple[Disc, ...]


def hue_of(topic: str) -> int:
    """Return the colour class of a topic, the same on every page.

    Any salt would do; this one keeps common topics and film genres apart.
    """
    return key64(_SALT + topic.casefold()) % HUES


def poster_of(video_id: str, topic: str) -> Poster:
    """Return the picture of a video: its topic's colour and initial, its own circles."""
    shape = key64(video_id).to_bytes(_SHAPE_BYTES, "little")
    discs = tuple(
        Disc(x=20 + shape[start] * 120 // 255, y=shape[start + 1] * 90 // 255, radius=radius)
        for start, radius in ((0, 46), (2, 28), (4, 15))
    )
    initial = next((letter for letter in topic if letter.isalnum()), "?")
    return Poster(initial=initial.upper()[:1], hue=hue_of(topic), discs=discs)
