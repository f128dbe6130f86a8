"""Where each viewer's next video stands when all videos are ranked, by what retrieval knows."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from playbill.features.layout import HISTORY
from playbill.retrieval import Transitions, VectorIndex
from playbill.retrieval.quality import searched
from playbill.retrieval.transitions_kernel import FADE, SEEDS
from playbill.training.item_knn import ItemNeighbours
from playbill.training.sequences import Sequences
from playbill.training.tower_training import TrainedTowers

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LISTED = 10
"""Places of a list whose videos are noted."""
_LEAST_COUNT = 1e-4
_AT_ONCE = 256
_OUT = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class LastVideos:
    """What V viewers took, and the last or the last but one of it to be foretold.

    ``known`` what they had taken before; ``targets`` (V,) rows; ``among`` (I,) True for videos
    that are ranked: those that somebody took.
    """

    known: Sequences
    targets: Ints
    among: npt.NDArray[np.bool_]

    def parts(self) -> Iterator[tuple[slice, list[Ints], list[Ints]]]:
        """Yield some viewers at once: which, their videos and how they took to them, in order."""
        starts = self.known.starts()
        for first in range(0, len(self.targets), _AT_ONCE):
            part = slice(first, min(first + _AT_ONCE, len(self.targets)))
            edges = starts[part.start : part.stop + 1]
            items = np.split(self.known.items[edges[0] : edges[-1]], edges[1:-1] - edges[0])
            kinds = np.split(self.known.kinds[edges[0] : edges[-1]], edges[1:-1] - edges[0])
            yield part, items, kinds


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What ranks: towers, counts and neighbours by row, and the towers' index over (I,) videos.

    ``ann_quota`` and ``next_quota`` are what index and counts are asked for where both serve.
    """

    towers: TrainedTowers
    counts: Transitions
    index: VectorIndex
    items: npt.NDArray[np.void]
    neighbours: ItemNeighbours
    ann_quota: int
    next_quota: int


@dataclass(slots=True)
class Ranks:
    """What became of V targets, by what ranked the videos.

    ``above`` (V,) how many videos stand above each; ``shown`` (I,) in how many viewers' first ten
    each video is.
    """

    above: dict[str, Ints] = field(default_factory=dict)
    shown: dict[str, Ints] = field(default_factory=dict)

    def take(
        self, name: str, last: LastVideos, part: slice, scores: Floats, barred: Mask, *, lists: bool
    ) -> None:
        """Note what (B, I) or (1, I) scores do for some viewers; (B, I) True is not ranked."""
        targets = last.targets[part]
        ranks = self.above.setdefault(name, np.empty(len(last.targets), np.int64))
        ranks[part] = above(scores, barred, targets)
        if lists:
            first = _strongest(np.where(barred, _OUT, scores), LISTED) & ~barred
            shown = self.shown.setdefault(name, np.zeros(len(last.among), np.int64))
            shown += first.sum(axis=0)


def rank_targets(
    last: LastVideos, by: Retrieval, blends: tuple[float, ...], *, lists: bool = False
) -> Ranks:
    """Return where each target stands, by the name of what ranks them.

    Names are ``popularity``, ``item_knn``, ``counts``, ``towers``, and for each weight of the
    counts' logarithm those of ``blended`` and ``indexed``.

    Args:
        last: what is to be foretold.
        by: what ranks.
        blends: weights.
        lists: whether to note what stands in the first ten places, too.
    """
    ranks = Ranks()
    popularity = np.bincount(last.known.items, minlength=len(last.among)).astype(np.float32)
    scale = float(by.towers.user.log_scale.detach().exp())
    vectors = torch.from_numpy(by.towers.item_vectors)
    for part, items, kinds in last.parts():
        viewers = viewers_of(by.towers, items, kinds)
        logits = torch.from_numpy(viewers) @ vectors.T * scale
        learned = torch.log_softmax(logits, dim=1).numpy()
        logs = np.log(counted(by.counts, items, len(last.among)) + _LEAST_COUNT)
        barred = np.stack([barred_of(last.among, taken) for taken in items])
        there = _strongest(np.where(barred, _OUT, logs), by.next_quota)
        nowhere = np.zeros(len(viewers), np.int64)
        for viewer, near in enumerate(searched(by.index, by.items, viewers, nowhere, by.ann_quota)):
            there[viewer, near] = True
        scores = {
            "popularity": popularity[None, :],
            "item_knn": by.neighbours.scores(items),
            "counts": logs,
            "towers": learned,
        }
        for name, each in scores.items():
            ranks.take(name, last, part, each, barred, lists=lists)
        for blend in blends:
            both = learned + np.float32(blend) * logs
            ranks.take(blended(blend), last, part, both, barred, lists=lists)
            ranks.take(indexed(blend), last, part, both, barred | ~there, lists=lists)
    return ranks


def viewers_of(towers: TrainedTowers, items: list[Ints], kinds: list[Ints]) -> Floats:
    """Return (B, 64) vectors of viewers from the last 32 videos they took, in order."""
    counts = np.array([min(len(taken), HISTORY) for taken in items])
    rows = np.zeros((len(items), HISTORY), np.int64)
    how = np.zeros((len(items), HISTORY), np.int64)
    for viewer, count in enumerate(counts):
        rows[viewer, :count] = items[viewer][-count:] if count else ()
        how[viewer, :count] = kinds[viewer][-count:] if count else ()
    with torch.no_grad():
        recent = torch.from_numpy(towers.item_vectors[rows])
        found = towers.user(recent, torch.from_numpy(how))[torch.arange(len(rows)), counts]
    vectors: Floats = found.numpy()
    return vectors


def counted(counts: Transitions, items: list[Ints], size: int) -> Floats:
    """Return (B, I) sums of what follows the last videos of each viewer, as serving adds them."""
    found = np.zeros((len(items), size), np.float32)
    for viewer, taken in enumerate(items):
        for age, row in enumerate(taken[::-1][:SEEDS]):
            part = slice(counts.starts[row], counts.starts[row + 1])
            found[viewer, counts.followers[part]] += math.exp(-FADE * age) * counts.weights[part]
    return found


def _strongest(scores: Floats, count: int) -> npt.NDArray[np.bool_]:
    """Return (B, I) True for the ``count`` largest of each row."""
    there = np.zeros(scores.shape, np.bool_)
    best = np.argpartition(-scores, min(count, scores.shape[1] - 1), axis=1)[:, :count]
    np.put_along_axis(there, best, True, axis=1)
    return there


def barred_of(among: npt.NDArray[np.bool_], taken: Ints) -> npt.NDArray[np.bool_]:
    """Return (I,) True for videos that are not ranked, for one who took some."""
    barred = ~among
    barred[taken] = True
    return barred


def above(scores: Floats, barred: npt.NDArray[np.bool_], targets: Ints) -> Ints:
    """Return (B,) how many videos stand above each target; ties stand above it.

    A target that is barred itself stands below all videos.
    """
    viewers = np.arange(len(targets))
    ranked = np.where(barred, _OUT, scores)
    own = ranked[viewers, targets]
    found: Ints = (ranked >= own[:, None]).sum(axis=1) - 1
    return np.where(barred[viewers, targets], scores.shape[1], found)


def blended(blend: float) -> str:
    """Return the name of both together, exactly."""
    return f"blend {blend:g}"


def indexed(blend: float) -> str:
    """Return the name of both together, of what the index and the counts bring."""
    return f"indexed {blend:g}"
