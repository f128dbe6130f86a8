"""Retrieval judged as the published tables do: each viewer's last video, among all of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from playbill.contracts import Settings
from playbill.core import InvalidInput
from playbill.features.layout import HISTORY
from playbill.retrieval import Transitions, VectorIndex
from playbill.retrieval.quality import searched
from playbill.training.dataset import Dataset
from playbill.training.progress import OnProgress, within
from playbill.training.sequences import Sequences, sequences_of
from playbill.training.tower_training import TrainedTowers, train_towers
from playbill.training.transitions import count_transitions

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

CUT = 10
BLENDS = tuple(step / 10 for step in range(26))
"""Weights that the logarithm of the counts is tried with."""
FEWEST_VIEWERS = 10
_SEEDS_OF_COUNTS = 16
_FADE = 0.3
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


@dataclass(slots=True)
class _Ranks:
    """(V,) how many videos stand above each target, by what ranked them."""

    found: dict[str, Ints] = field(default_factory=dict)

    def take(self, name: str, part: slice, size: int, above: Ints) -> None:
        self.found.setdefault(name, np.empty(size, np.int64))[part] = above


def evaluate_leave_one_out(
    dataset: Dataset,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    seeds: int = 1,
    quotas: tuple[int, int] = (300, 60),
) -> dict[str, Any]:
    """Return how often the video that a viewer took last is among the ten ranked highest.

    Towers and counts learn from all but the last two videos of each viewer. The last but one
    chooses what the logarithm of the counts weighs beside that of the towers' probabilities; the
    last one reports. All videos that somebody took are ranked, but those the viewer had before.

    Args:
        dataset: a built data set.
        settings: the recipe.
        seeds: how many times the towers are trained, each from its own seed.
        quotas: how many the index and the counts are asked for where both serve: ``indexed``.

    Raises:
        InvalidInput: fewer than ten viewers took three videos or more.
    """
    within(on_progress, "read rows")(0.0)
    rows = dataset.rows()
    sequences = sequences_of(rows, np.ones(len(rows), np.bool_))
    return judge(sequences, dataset.items(), settings, on_progress, seeds=seeds, quotas=quotas)


def judge(
    sequences: Sequences,
    items: npt.NDArray[np.void],
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    seeds: int = 1,
    quotas: tuple[int, int] = (300, 60),
) -> dict[str, Any]:
    """Return the report of ``evaluate_leave_one_out`` on sequences over (I,) ``ITEM_RECORD``.

    Raises:
        InvalidInput: fewer than ten viewers took three videos or more.
    """
    whole = _long_enough(sequences)
    train = whole.before_last(2)
    counts = count_transitions(train, len(items))
    runs = []
    for number in range(seeds):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"seed {number + 1} of {seeds}: {stage}", share)

        training = msgspec.structs.replace(settings.training, seed=settings.training.seed + number)
        seeded = msgspec.structs.replace(settings, training=training)
        towers = train_towers(train, items, seeded, progress)
        index = VectorIndex.build(towers.item_vectors, items["key"], training.seed)
        runs.append(_run(whole, _Ranked(towers, counts, index, items, *quotas), progress))
    return {
        "protocol": "leave-one-out",
        "viewers": len(whole.starts()) - 1,
        "videos": int((np.bincount(whole.items, minlength=len(items)) > 0).sum()),
        "cut": CUT,
        "seeds": seeds,
        "sources": _summary(runs),
        "runs": runs,
        "note": "standard error of a share p over V viewers is the square root of p (1 - p) / V",
    }


def _long_enough(sequences: Sequences) -> Sequences:
    sizes = np.diff(sequences.starts())
    if (sizes >= 3).sum() < FEWEST_VIEWERS:
        raise InvalidInput(
            f"{int((sizes >= 3).sum()):,} viewers took three videos or more; leave-one-out needs "
            f"{FEWEST_VIEWERS}",
            hint="import a longer history, or use the quick protocol",
        )
    kept = np.repeat(sizes >= 3, sizes)
    return Sequences(sequences.items[kept], sequences.viewers[kept], sequences.kinds[kept])


@dataclass(frozen=True, slots=True)
class _Ranked:
    """What ranks: towers, counts by row, and the towers' index over (I,) videos."""

    towers: TrainedTowers
    counts: Transitions
    index: VectorIndex
    items: npt.NDArray[np.void]
    ann_quota: int
    next_quota: int


def _run(whole: Sequences, by: _Ranked, on_progress: OnProgress | None) -> dict[str, Any]:
    """Return the figures of one training: of each source, of both, of both through the index."""
    among = np.bincount(whole.items, minlength=len(by.items)) > 0
    ends = whole.starts()[1:]
    report = within(on_progress, "rank all videos")
    report(0.0)
    validate = LastVideos(whole.before_last(2), whole.items[ends - 2], among)
    tried = _ranks(validate, by, BLENDS)
    report(0.5)
    best = max(BLENDS, key=lambda blend: _figures(tried[_blended(blend)])["ndcg"])
    last = LastVideos(whole.before_last(1), whole.items[ends - 1], among)
    ranks = _ranks(last, by, (best,))
    report(1.0)
    named = {"blend": ranks[_blended(best)], "indexed": ranks[f"indexed {best:g}"]}
    sources = {name: ranks[name] for name in ("popularity", "counts", "towers")} | named
    return {
        "counts_weigh": best,
        "validation": _figures(tried[_blended(best)]),
        "towers": by.towers.record,
        "sources": {name: _figures(found) for name, found in sources.items()},
    }


def _ranks(last: LastVideos, by: _Ranked, blends: tuple[float, ...]) -> dict[str, Ints]:
    """Return (V,) how many videos stand above each target, by what ranks them."""
    size, ranks = len(last.targets), _Ranks()
    popularity = np.bincount(last.known.items, minlength=len(last.among)).astype(np.float32)
    scale = float(by.towers.user.log_scale.detach().exp())
    vectors = torch.from_numpy(by.towers.item_vectors)
    for part, items, kinds in last.parts():
        viewers = viewers_of(by.towers, items, kinds)
        logits = torch.from_numpy(viewers) @ vectors.T * scale
        learned = torch.log_softmax(logits, dim=1).numpy()
        counted = np.log(_counted(by.counts, items, len(last.among)) + _LEAST_COUNT)
        barred = np.stack([_barred(last.among, taken) for taken in items])
        targets = last.targets[part]
        there = _strongest(np.where(barred, _OUT, counted), by.next_quota)
        nowhere = np.zeros(len(viewers), np.int64)
        for viewer, near in enumerate(searched(by.index, by.items, viewers, nowhere, by.ann_quota)):
            there[viewer, near] = True
        ranks.take("popularity", part, size, _above(popularity[None, :], barred, targets))
        ranks.take("counts", part, size, _above(counted, barred, targets))
        ranks.take("towers", part, size, _above(learned, barred, targets))
        for blend in blends:
            both = learned + np.float32(blend) * counted
            ranks.take(_blended(blend), part, size, _above(both, barred, targets))
            above = _above(both, barred | ~there, targets)
            ranks.take(f"indexed {blend:g}", part, size, above)
    return ranks.found


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


def _counted(counts: Transitions, items: list[Ints], size: int) -> Floats:
    """Return (B, I) sums of what follows the last videos of each viewer, as serving adds them."""
    found = np.zeros((len(items), size), np.float32)
    for viewer, taken in enumerate(items):
        for age, row in enumerate(taken[::-1][:_SEEDS_OF_COUNTS]):
            part = slice(counts.starts[row], counts.starts[row + 1])
            found[viewer, counts.followers[part]] += math.exp(-_FADE * age) * counts.weights[part]
    return found


def _strongest(scores: Floats, count: int) -> npt.NDArray[np.bool_]:
    """Return (B, I) True for the ``count`` largest of each row."""
    there = np.zeros(scores.shape, np.bool_)
    best = np.argpartition(-scores, min(count, scores.shape[1] - 1), axis=1)[:, :count]
    np.put_along_axis(there, best, True, axis=1)
    return there


def _barred(among: npt.NDArray[np.bool_], taken: Ints) -> npt.NDArray[np.bool_]:
    barred = ~among
    barred[taken] = True
    return barred


def _above(scores: Floats, barred: npt.NDArray[np.bool_], targets: Ints) -> Ints:
    """Return (B,) how many videos stand above each target; ties stand above it.

    A target that is barred itself stands below all videos.
    """
    viewers = np.arange(len(targets))
    ranked = np.where(barred, _OUT, scores)
    own = ranked[viewers, targets]
    above: Ints = (ranked >= own[:, None]).sum(axis=1) - 1
    return np.where(barred[viewers, targets], scores.shape[1], above)


def _blended(blend: float) -> str:
    return f"blend {blend:g}"


def _figures(above: Ints) -> dict[str, float]:
    """Return the hit rate and the discounted gain at ten, with the hit rate's standard error."""
    hit = above < CUT
    gain = np.where(hit, 1.0 / np.log2(above + 2.0), 0.0)
    rate = float(hit.mean())
    return {
        "hit_rate": round(rate, 4),
        "ndcg": round(float(gain.mean()), 4),
        "hit_rate_error": round(math.sqrt(rate * (1.0 - rate) / len(above)), 4),
    }


def _summary(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the mean over seeds of each figure, and how far apart the seeds are."""
    found = {}
    for name in runs[0]["sources"]:
        figures: dict[str, float] = {}
        for figure in ("hit_rate", "ndcg"):
            values = [run["sources"][name][figure] for run in runs]
            figures[figure] = round(float(np.mean(values)), 4)
            figures[f"{figure}_spread"] = round(max(values) - min(values), 4)
        found[name] = figures
    return found
