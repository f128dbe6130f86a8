"""A video's place by what it is about: additive, so that one posted a second ago has one too."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.models.arrays import read_arrays
from playbill.models.tasks import WIDTH

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LANGUAGES = 64
"""Buckets of language codes; bucket 0 is "unknown"."""
DURATION_EDGES_MS = (5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 120_000, 300_000,
                     900_000)  # fmt: skip
"""Bounds of the buckets of durations."""


def language_bucket(codes: npt.NDArray[np.uint16]) -> Ints:
    """Return (n,) buckets of (n,) 16-bit language codes, 0 being unknown."""
    code = codes.astype(np.int64)
    return np.where(code == 0, 0, 1 + (code - 1) % (LANGUAGES - 1))


def duration_bucket(durations_ms: npt.NDArray[np.uint32]) -> Ints:
    """Return (n,) buckets of (n,) durations."""
    return np.searchsorted(DURATION_EDGES_MS, durations_ms, side="right").astype(np.int64)


def normalised(vectors: Floats) -> Floats:
    """Return (n, D) vectors of length 1; a vector of zeros stays one."""
    lengths = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True, dtype=np.float32))
    scaled: Floats = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled


@dataclass(frozen=True, slots=True)
class ContentTower:
    """Embeddings of topics, authors, words of titles, languages and durations.

    ``topics`` (T, 64) by topic number; ``author_rows`` (A,) ascending rows of the authors that
    have one and ``authors`` (A, 64) theirs; ``word_codes`` (W,) ascending and ``words`` (W, 64)
    likewise; ``languages`` (64, 64); ``durations`` (11, 64).
    """

    topics: Floats
    author_rows: npt.NDArray[np.uint32]
    authors: Floats
    word_codes: npt.NDArray[np.uint16]
    words: Floats
    languages: Floats
    durations: Floats

    @classmethod
    def load(cls, path: Path) -> "ContentTower":
        """Return the tower of a file.

        Raises:
            InvalidInput: the file is missing, damaged, or its arrays do not fit together.
        """
        names = tuple(field.name for field in fields(cls))
        tower = cls(*read_arrays(path, names, "content tower"))
        shapes = [tower.topics.shape[1:], tower.authors.shape[1:], tower.languages.shape,
                  tower.durations.shape, (len(tower.author_rows),), tower.words.shape[1:],
                  (len(tower.word_codes),)]  # fmt: skip
        expected = [(WIDTH,), (WIDTH,), (LANGUAGES, WIDTH), (len(DURATION_EDGES_MS) + 1, WIDTH),
                    (len(tower.authors),), (WIDTH,), (len(tower.words),)]  # fmt: skip
        if shapes != expected:
            raise InvalidInput(f"{path.name} has arrays of shapes {shapes}; expected {expected}")
        return tower

    def save(self, path: Path) -> None:
        """Write the tower; the same arrays give the same bytes."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    def vectors(self, items: npt.NDArray[np.void]) -> Floats:
        """Return (n, 64) unit vectors of (n,) ``ITEM_RECORD``."""
        return normalised(self.sums(items))

    def sums(self, items: npt.NDArray[np.void]) -> Floats:
        """Return (n, 64) vectors before they are scaled; an item's own residual is added here."""
        total = self.languages[language_bucket(items["language"])]
        total = total + self.durations[duration_bucket(items["duration_ms"])]
        authors = _found(self.author_rows, items["author"][:, None])
        _add_mean(total, self.authors, authors)
        topics = items["topics"].astype(np.int64)
        _add_mean(total, self.topics, np.where(topics < len(self.topics), topics, -1))
        _add_mean(total, self.words, _found(self.word_codes, items["words"]))
        return total


def _found(known: npt.NDArray[Any], asked: npt.NDArray[Any]) -> Ints:
    """Return (n, K) the place of each asked number among (A,) ascending ones, -1 for others."""
    if not len(known):
        return np.full(asked.shape, -1, np.int64)
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[at] == asked, at, -1)


def _add_mean(total: Floats, table: Floats, places: Ints) -> None:
    """Add to (n, D) sums the mean of each one's (n, K) rows of a table; -1 is nothing."""
    there = places >= 0
    share = np.float32(1.0) / np.maximum(there.sum(axis=1), 1).astype(np.float32)
    for column in range(places.shape[1]):
        has = there[:, column]
        total[has] += table[places[has, column]] * share[has, None]
