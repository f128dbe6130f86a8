"""The networks as they are trained. Only training imports this; serving runs what it exports."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.models.curves import stretches_of
from playbill.models.tasks import TASKS, WIDTH

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LARGEST_DEVIATION = 5.0
"""Standardised features are cut off here."""
LARGEST_FINITE = 1e30
"""Beyond it a feature is no number, and counts as its mean."""
_SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True, slots=True)
class RankerShape:
    """Sizes of a ranker. ``categories`` holds how many codes each of the three has, 0 included."""

    features: int
    categories: tuple[int, int, int]
    hidden: tuple[int, ...]
    embedding: int = 8
    dropout: float = 0.1
    stretches: int = 0
    """Of the curve that each feature passes; 0 for none."""


class RankerNetwork(nn.Module):
    """Multi-task network over standardised features and embedded categories.

    Args:
        shape: sizes.
        mean: (F,) of the raw features on the training rows.
        deviation: (F,) standard deviation; a constant feature is read as 0.
    """

    mean: Tensor
    scale: Tensor
    sizes: Tensor
    offsets: Tensor
    shifts: Tensor
    """(surfaces + 1, 4) what calibration adds to the logits on each surface."""
    starts: Tensor
    rates: Tensor

    def __init__(self, shape: RankerShape, mean: Floats, deviation: Floats) -> None:
        super().__init__()
        self.shape = shape
        scale = np.where(deviation > _SMALLEST_DEVIATION, 1.0 / np.maximum(deviation, 1e-12), 0.0)
        sizes = np.array(shape.categories, np.int64)
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("scale", torch.from_numpy(scale.astype(np.float32)))
        self.register_buffer("sizes", torch.from_numpy(sizes))
        self.register_buffer("offsets", torch.from_numpy(np.cumsum(sizes) - sizes))
        self.register_buffer("shifts", torch.zeros(int(sizes[0]), len(TASKS)))
        self.register_buffer("starts", torch.zeros(shape.features, shape.stretches))
        self.register_buffer("rates", torch.zeros(shape.features, shape.stretches))
        self.bends = nn.Parameter(torch.zeros(shape.features, shape.stretches))
        self.embeddings = nn.Embedding(int(sizes.sum()), shape.embedding)
        nn.init.normal_(self.embeddings.weight, std=0.05)
        width = shape.features + len(sizes) * shape.embedding
        layers: list[nn.Module] = []
        for size in shape.hidden:
            layers += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(shape.dropout)]
            width = size
        self.body = nn.Sequential(*layers)
        self.heads = nn.Linear(width, len(TASKS))

    def forward(self, dense: Tensor, categories: Tensor) -> Tensor:
        """Return (N, 4) logits of (N, F) raw features and (N, 3) codes."""
        x = self._straight(dense)
        if self.shape.stretches:
            along = ((x.unsqueeze(-1) - self.starts) * self.rates).clamp(0.0, 1.0)
            x = x + (along * self.bends).sum(dim=-1)
        known = (categories >= 0) & (categories < self.sizes)
        codes = torch.where(known, categories, torch.zeros_like(categories))
        embedded = self.embeddings(codes + self.offsets).flatten(1)
        logits: Tensor = self.heads(self.body(torch.cat([x, embedded], dim=1)))
        return logits + self.shifts[codes[:, 0]]

    def _straight(self, dense: Tensor) -> Tensor:
        x = (dense - self.mean[: dense.shape[1]]) * self.scale[: dense.shape[1]]
        x = torch.where(x.abs() <= LARGEST_FINITE, x, torch.zeros_like(x))
        return x.clamp(-LARGEST_DEVIATION, LARGEST_DEVIATION)

    @torch.no_grad()
    def bend_at(self, dense: Tensor) -> None:
        """Let curves bend at the quantiles of (N, F) raw features, the first F of all.

        What comes after them stays straight.
        """
        starts, rates = stretches_of(self._straight(dense).numpy(), self.shape.stretches)
        self.starts[: len(starts)] = torch.from_numpy(starts)
        self.rates[: len(rates)] = torch.from_numpy(rates)

    @torch.no_grad()
    def fold_calibration(self, lines: list[tuple[float, float]], shifts: Floats) -> None:
        """Make the logits calibrated.

        Args:
            lines: head k becomes scale x logit + shift of ``lines[k]``.
            shifts: (surfaces + 1, 4) added to that on each surface.
        """
        for head, (scale, shift) in enumerate(lines):
            self.heads.weight[head] *= scale
            self.heads.bias[head] = self.heads.bias[head] * scale + shift
        self.shifts.copy_(torch.from_numpy(shifts))

    def linears(self) -> list[nn.Linear]:
        """Return the linear layers in order, the heads last."""
        return [layer for layer in self.body if isinstance(layer, nn.Linear)] + [self.heads]


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """What the item network looks up for I videos; 0 is "none" but in languages and durations.

    ``topics`` (I, 4) number + 1; ``authors`` (I,) place + 1 among those with an embedding;
    ``words`` (I, 12) likewise; ``languages``, ``durations`` (I,) buckets; ``residuals`` (I,)
    place + 1.
    """

    topics: Ints
    authors: Ints
    words: npt.NDArray[np.int32]
    languages: Ints
    durations: Ints
    residuals: Ints


class ItemNetwork(nn.Module):
    """A video's vector: the content tower plus what only its viewers can tell.

    Args:
        columns: of all I videos.
        residual_dropout: how often a step does without a residual, so that content works alone.
        languages: buckets of languages.
        durations: buckets of durations.
    """

    def __init__(
        self, columns: ItemColumns, residual_dropout: float, languages: int, durations: int
    ) -> None:
        super().__init__()
        self._dropout = residual_dropout
        self._columns = {
            name: torch.from_numpy(np.ascontiguousarray(getattr(columns, name)))
            for name in columns.__slots__
        }
        self.topics = _embedding(int(columns.topics.max(initial=0)) + 1, 0.3)
        self.authors = _embedding(int(columns.authors.max(initial=0)) + 1, 0.1)
        self.words = _embedding(int(columns.words.max(initial=0)) + 1, 0.1)
        self.residuals = _embedding(int(columns.residuals.max(initial=0)) + 1, 0.1)
        self.languages = nn.Embedding(languages, WIDTH)
        self.durations = nn.Embedding(durations, WIDTH)
        for table in (self.languages, self.durations):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, items: Tensor) -> Tensor:
        """Return (n, 64) unit vectors of (n,) item rows."""
        columns = self._columns
        total = _mean_of(self.topics, columns["topics"][items])
        total = total + self.authors(columns["authors"][items])
        total = total + _mean_of(self.words, columns["words"][items])
        total = total + self.languages(columns["languages"][items])
        total = total + self.durations(columns["durations"][items])
        residual = self.residuals(columns["residuals"][items])
        if self.training:
            residual = residual * (torch.rand(len(items), 1) >= self._dropout)
        return nn.functional.normalize(total + residual, dim=1, eps=1e-12)


def _mean_of(table: nn.Embedding, places: Tensor) -> Tensor:
    """Return (n, 64) the mean of (n, K) rows of a table, of which 0 is nothing."""
    found: Tensor = nn.functional.embedding_bag(places, table.weight, mode="mean", padding_idx=0)
    return found


def _embedding(size: int, deviation: float) -> nn.Embedding:
    """Return a table whose place 0 is nothing."""
    table = nn.Embedding(size, WIDTH, padding_idx=0)
    nn.init.normal_(table.weight, std=deviation)
    with torch.no_grad():
        table.weight[0].zero_()
    return table
