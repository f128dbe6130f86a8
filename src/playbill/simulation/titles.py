"""Titles that a person recognises."""

import numpy as np

from playbill.simulation.vocabulary import TOPICS

_ENDINGS = (
    " | episode {n}",
    " (part {n})",
    ", take {n}",
    " (full video)",
    " | short version",
    " | viewer request",
    " | uncut",
    " | live",
)
_CROSSINGS = (
    ", for people who love {other}",
    " meets {other}",
    ", and a bit of {other}",
    " | {other} edition",
)
_NUMBERS = range(3, 21)
_ENDING_SHARE = 0.25
_DRAWS = 6


class TitleWriter:
    """Write titles from the topics' templates and avoid those already written.

    Titles are English whatever language a video speaks: they are for the person who looks.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._written: set[str] = set()

    def write(self, topic: int, other: int | None) -> str:
        """Return a title of a topic, crossed with another one when it is given."""
        title = self._draft(topic, other)
        for _ in range(_DRAWS):
            if title not in self._written:
                break
            title = self._draft(topic, other)
        self._written.add(title)
        return title

    def _draft(self, topic: int, other: int | None) -> str:
        words = TOPICS[topic]
        pick: list[int] = self._rng.integers(0, 1 << 30, size=6).tolist()
        title: str = words.templates[pick[0] % len(words.templates)]
        if other is not None:
            title += _CROSSINGS[pick[1] % len(_CROSSINGS)]
        elif pick[1] < _ENDING_SHARE * (1 << 30):
            title += _ENDINGS[pick[5] % len(_ENDINGS)]
        text = title.format(
            a=words.subjects[pick[2] % len(words.subjects)],
            b=words.details[pick[3] % len(words.details)],
            n=_NUMBERS[pick[4] % len(_NUMBERS)],
            other="" if other is None else TOPICS[other].label,
        )
        return text[0].upper() + text[1:]
