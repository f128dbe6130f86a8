"""Retrieval judged as the published tables do: each viewer's last video, among all of them."""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.core import InvalidInput
from playbill.retrieval import VectorIndex
from playbill.training.dataset import Dataset
from playbill.training.item_knn import ItemNeighbours
from playbill.training.last_videos import LastVideos, Retrieval, blended, indexed, rank_targets
from playbill.training.list_figures import figures_of_lists
from playbill.training.progress import OnProgress, within
from playbill.training.sequences import Sequences, sequences_of
from playbill.training.tower_training import train_towers
from playbill.training.transitions import count_transitions

Ints = npt.NDArray[np.int64]

CUT = 10
BLENDS = tuple(step / 10 for step in range(26))
"""Weights that the logarithm of the counts is tried with."""
FEWEST_VIEWERS = 10


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
    rows = dataset.rows_for(settings)
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
    neighbours = ItemNeighbours.of(train, len(items))
    runs = []
    for number in range(seeds):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"seed {number + 1} of {seeds}: {stage}", share)

        training = msgspec.structs.replace(settings.training, seed=settings.training.seed + number)
        seeded = msgspec.structs.replace(settings, training=training)
        towers = train_towers(train, items, seeded, progress)
        index = VectorIndex.build(towers.item_vectors, items["key"], training.seed)
        runs.append(
            _run(whole, Retrieval(towers, counts, index, items, neighbours, *quotas), progress)
        )
    return {
        "protocol": "leave-one-out",
        "viewers": len(whole.starts()) - 1,
        "videos": int((np.bincount(whole.items, minlength=len(items)) > 0).sum()),
        "cut": CUT,
        "seeds": seeds,
        "sources": _summary(runs),
        "lists": runs[0]["lists"],
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
    return sequences.only(kept)


def _run(whole: Sequences, by: Retrieval, on_progress: OnProgress | None) -> dict[str, Any]:
    """Return the figures of one training: of each source, of both, of both through the index."""
    among = np.bincount(whole.items, minlength=len(by.items)) > 0
    ends = whole.starts()[1:]
    report = within(on_progress, "rank all videos")
    report(0.0)
    validate = LastVideos(whole.before_last(2), whole.items[ends - 2], among)
    tried = rank_targets(validate, by, BLENDS).above
    report(0.5)
    best = max(BLENDS, key=lambda blend: _figures(tried[blended(blend)])["ndcg"])
    last = LastVideos(whole.before_last(1), whole.items[ends - 1], among)
    ranks = rank_targets(last, by, (best,), lists=True)
    report(1.0)
    named = {"blend": blended(best), "indexed": indexed(best)}
    named = {name: name for name in ("popularity", "item_knn", "counts", "towers")} | named
    takes = np.bincount(last.known.items, minlength=len(by.items))
    return {
        "counts_weigh": best,
        "validation": _figures(tried[blended(best)]),
        "towers": by.towers.record,
        "sources": {name: _figures(ranks.above[key]) for name, key in named.items()},
        "lists": {
            name: figures_of_lists(ranks.shown[key], among, takes, by.items)
            for name, key in named.items()
        },
    }


def _figures(above: Ints) -> dict[str, float]:
    """Return the hit rate and the discounted gain at ten, with the hit rate's standard error."""
    gains = {figure: float(each.mean()) for figure, each in gains_of(above).items()}
    rate = gains["hit_rate"]
    return {
        **{figure: round(gain, 4) for figure, gain in gains.items()},
        "hit_rate_error": round(math.sqrt(rate * (1.0 - rate) / len(above)), 4),
    }


def gains_of(above: Ints) -> dict[str, npt.NDArray[np.float64]]:
    """Return (V,) hits and discounted gains at ten of targets below so many videos."""
    hit = above < CUT
    return {
        "hit_rate": hit.astype(np.float64),
        "ndcg": np.where(hit, 1.0 / np.log2(above + 2.0), 0.0),
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
