"""The item tower over spread tables: what ``ItemNetwork`` adds up, for tables of any size."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.models.networks import ItemColumns
from playbill.models.tasks import WIDTH
from playbill.training.parallel.placing import Table
from playbill.training.parallel.tables import SpreadTable

Ints = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
DEVIATIONS = {"topics": 0.3, "authors": 0.1, "words": 0.1, "residuals": 0.1, "languages": 0.1,
              "durations": 0.1}  # fmt: skip
"""Of the first values of each table, as in ``ItemNetwork``."""


def tables_of(columns: ItemColumns, languages: int, durations: int) -> list[Table]:
    """Return the tables that a catalogue needs; row 0 of each stands for nothing."""
    sizes = {
        "topics": int(columns.topics.max(initial=0)) + 1,
        "authors": int(columns.authors.max(initial=0)) + 1,
        "words": int(columns.words.max(initial=0)) + 1,
        "residuals": int(columns.residuals.max(initial=0)) + 1,
        "languages": languages + 1,
        "durations": durations + 1,
    }
    return [Table(name, rows, WIDTH) for name, rows in sizes.items()]


class SpreadItems:
    """Vectors of videos from tables whose rows live on several workers.

    Args:
        columns: of all I videos.
        tables: by name.
        dropout: how often a step does without a video's residual.
        seed: of which steps those are.
    """

    def __init__(
        self, columns: ItemColumns, tables: dict[str, SpreadTable], dropout: float, seed: int
    ) -> None:
        self.columns, self.tables = columns, tables
        self._dropout, self._seed = dropout, seed

    def vectors(self, items: Ints, step: int | None) -> Tensor:
        """Return (n, 64) unit vectors of (n,) rows. A collective call.

        Args:
            items: rows of the catalogue.
            step: of the training, None where nothing is dropped.
        """
        columns = self.columns
        total = self._mean("topics", columns.topics[items])
        total = total + self._embedded("authors", columns.authors[items])
        total = total + self._mean("words", columns.words[items])
        total = total + self._embedded("languages", columns.languages[items] + 1)
        total = total + self._embedded("durations", columns.durations[items] + 1)
        residual = self._embedded("residuals", columns.residuals[items])
        if step is not None:
            kept = chances(items, self._seed, step) >= self._dropout
            residual = residual * torch.from_numpy(kept[:, None].astype(np.float32))
        return nn.functional.normalize(total + residual, dim=1, eps=1e-12)

    def _mean(self, name: str, places: Ints | npt.NDArray[np.int32]) -> Tensor:
        """Return (n, 64) the mean of (n, K) rows, of which 0 is nothing."""
        count = torch.from_numpy((places > 0).sum(axis=1, keepdims=True).clip(min=1))
        return self._embedded(name, places).sum(dim=1) / count

    def _embedded(self, name: str, rows: Ints | npt.NDArray[np.int32]) -> Tensor:
        distinct, place = np.unique(rows, return_inverse=True)
        found = self.tables[name].lookup(torch.from_numpy(distinct))
        return found[torch.from_numpy(place.reshape(rows.shape))]


def chances(items: Ints, seed: int, step: int) -> npt.NDArray[np.float64]:
    """Return (n,) numbers in [0, 1) that follow from seed, step and video alone.

    So a video is dropped in a step on every worker or on none.

    Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014).
    """
    with np.errstate(over="ignore"):
        state = items.astype(np.uint64) * _GOLDEN + np.uint64(seed * 1_000_003 + step)
        state = (state ^ (state >> np.uint64(30))) * _MIX[0]
        state = (state ^ (state >> np.uint64(27))) * _MIX[1]
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / 2.0**53
