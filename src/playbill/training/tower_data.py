"""What the towers learn from: videos that viewers took, and what those had done before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.features import NO_TOPIC
from playbill.models import TASKS, in_order
from playbill.models.content_tower import duration_bucket, language_bucket
from playbill.models.networks import ItemColumns
from playbill.training.dataset import Histories, Rows

Ints = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]

FEWEST_AUTHOR_POSITIVES = 3
FEWEST_ITEM_POSITIVES = 5
"""A video or author with fewer is placed by its content alone."""


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
    long_view = rows.labels[:, TASKS.index("long_view")]
    taken = np.flatnonzero((click | long_view) & chosen)
    snapshots = rows.snapshots[taken]
    known = in_order(histories.items[snapshots], histories.actions[snapshots])
    return Positives(rows.items[taken], *known)


@dataclass(frozen=True, slots=True)
class ItemPlaces:
    """What the item network looks up, and whose embeddings those are.

    ``author_rows`` (A,) ascending and ``item_rows`` (R,) ascending: the rows with an embedding,
    in the order of their places.
    """

    columns: ItemColumns
    author_rows: npt.NDArray[np.uint32]
    item_rows: Ints


def item_places(items: Records, positives: Ints) -> ItemPlaces:
    """Return the lookups of I videos, given the rows of the (P,) videos taken in training."""
    taken = np.bincount(positives, minlength=len(items))
    authors = items["author"].astype(np.int64)
    by_author = np.bincount(authors, weights=taken)
    author_rows = np.flatnonzero(by_author >= FEWEST_AUTHOR_POSITIVES)
    item_rows = np.flatnonzero(taken >= FEWEST_ITEM_POSITIVES)
    topics = items["topics"].astype(np.int64)
    columns = ItemColumns(
        topics=np.where(topics == NO_TOPIC, 0, topics + 1),
        authors=_places(author_rows, int(authors.max(initial=-1)) + 1)[authors],
        languages=language_bucket(items["language"]),
        durations=duration_bucket(items["duration_ms"]),
        residuals=_places(item_rows, len(items)),
    )
    return ItemPlaces(columns, author_rows.astype(np.uint32), item_rows)


def _places(rows: Ints, size: int) -> Ints:
    """Return (size,) place + 1 of the listed rows, 0 for the others."""
    places = np.zeros(size, np.int64)
    places[rows] = np.arange(1, len(rows) + 1)
    return places
