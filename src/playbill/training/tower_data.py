"""What the towers learn from: videos that viewers took, and what those had done before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.features import NO_TOPIC, NO_WORD, WORD_CODES
from playbill.models import TASKS, in_order
from playbill.models.content_tower import duration_bucket, language_bucket
from playbill.models.networks import ItemColumns
from playbill.training.dataset import Histories, Rows

Ints = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]

FEWEST_AUTHOR_POSITIVES = 3
FEWEST_ITEM_POSITIVES = 5
"""A video or author with fewer is placed by its content alone."""
FEWEST_WORD_VIDEOS, FEWEST_WORD_POSITIVES = 2, 10
"""A word with fewer tells nothing of the next video that has it."""


@dataclass(frozen=True, slots=True)
class Positives:
    """P videos that viewers took, with what each viewer had taken before, oldest first.

    ``items`` (P,) rows; ``history`` (P, 32) rows and ``kinds`` (P, 32), 0 where nothing is;
    ``counts`` (P,) how many.
    """

    items: Ints
    history: Ints
    kinds: Ints
    counts: Ints

    def __len__(self) -> int:
        return len(self.items)


def positives_of(rows: Rows, histories: Histories, chosen: npt.NDArray[np.bool_]) -> Positives:
    """Return the clicked and long-viewed rows among (N,) chosen ones, in their order."""
    click = rows.labels[:, TASKS.index("click")]
    taken = np.flatnonzero((click | rows.viewed_long) & chosen)
    snapshots = rows.snapshots[taken]
    known = in_order(histories.items[snapshots], histories.actions[snapshots])
    return Positives(rows.items[taken], *known)


@dataclass(frozen=True, slots=True)
class ItemPlaces:
    """What the item network looks up, and whose embeddings those are.

    ``author_rows`` (A,), ``word_codes`` (W,) and ``item_rows`` (R,), ascending: those with an
    embedding, in the order of their places.
    """

    columns: ItemColumns
    author_rows: npt.NDArray[np.uint32]
    word_codes: npt.NDArray[np.uint16]
    item_rows: Ints


def item_places(items: Records, positives: Ints) -> ItemPlaces:
    """Return the lookups of I videos, given the rows of the (P,) videos taken in training."""
    taken = np.bincount(positives, minlength=len(items))
    authors = items["author"].astype(np.int64)
    by_author = np.bincount(authors, weights=taken)
    author_rows = np.flatnonzero(by_author >= FEWEST_AUTHOR_POSITIVES)
    item_rows = np.flatnonzero(taken >= FEWEST_ITEM_POSITIVES)
    word_codes = _telling_words(items["words"], taken)
    topics = items["topics"].astype(np.int64)
    columns = ItemColumns(
        topics=np.where(topics == NO_TOPIC, 0, topics + 1),
        authors=_places(author_rows, int(authors.max(initial=-1)) + 1)[authors],
        words=_places(word_codes, WORD_CODES + 1).astype(np.int32)[items["words"]],
        languages=language_bucket(items["language"]),
        durations=duration_bucket(items["duration_ms"]),
        residuals=_places(item_rows, len(items)),
    )
    return ItemPlaces(
        columns, author_rows.astype(np.uint32), word_codes.astype(np.uint16), item_rows
    )


def _telling_words(words: npt.NDArray[np.uint16], taken: Ints) -> Ints:
    """Return ascending codes of words that say something of more than one video that was taken."""
    there = words != NO_WORD
    of_taken = there & (taken > 0)[:, None]
    videos = np.bincount(words[of_taken], minlength=WORD_CODES + 1)
    takes = np.broadcast_to(taken[:, None], words.shape)[of_taken]
    takes = np.bincount(words[of_taken], weights=takes, minlength=WORD_CODES + 1)
    return np.flatnonzero((videos >= FEWEST_WORD_VIDEOS) & (takes >= FEWEST_WORD_POSITIVES))


def _places(rows: Ints, size: int) -> Ints:
    """Return (size,) place + 1 of the listed rows, 0 for the others."""
    places = np.zeros(size, np.int64)
    places[rows] = np.arange(1, len(rows) + 1)
    return places
