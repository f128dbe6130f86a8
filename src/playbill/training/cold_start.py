"""Retrieval judged on what it has never met: videos and viewers that are held out entirely."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.training.dataset import Dataset
from playbill.training.held_out import HELD_SHARE, HeldOut, after_some, kindred_takes, last_new
from playbill.training.last_videos import LastVideos, above, barred_of, counted, viewers_of
from playbill.training.leave_one_out import CUT, FEWEST_VIEWERS, gains_of
from playbill.training.progress import OnProgress, within
from playbill.training.sequences import Sequences, sequences_of
from playbill.training.tower_training import TrainedTowers, train_towers
from playbill.training.transitions import count_transitions

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]
Ranker = Callable[[list[Ints], list[Ints]], Floats]
"""Returns (B, I) scores of all videos, for what B viewers took and how they took to it."""

HISTORY_SIZES = 1, 2, 5, 10, 20
"""How many videos a new viewer has taken when the next one is foretold."""
OURS, FLOOR = "towers", "popularity"
_TWO_SIDED = 1.96


def evaluate_cold_start(
    dataset: Dataset,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    seeds: int = 1,
) -> dict[str, Any]:
    """Return how well towers place videos and viewers that nobody had met.

    A tenth of the videos and a tenth of the viewers are taken out of what the towers learn from.
    Then each other viewer's last new video is to be found among all the new ones, from the old
    videos that the viewer took before it; and each new viewer's next video among all the old ones,
    after one video, two, five, ten and twenty.

    Args:
        dataset: a built data set.
        settings: the recipe.
        seeds: how many times all is drawn and trained, each from its own seed.

    Raises:
        InvalidInput: too few viewers took enough to say anything.
    """
    within(on_progress, "read rows")(0.0)
    rows = dataset.rows_for(settings)
    sequences = sequences_of(rows, np.ones(len(rows), np.bool_))
    return judge(sequences, dataset.items(), settings, on_progress, seeds=seeds)


def judge(
    sequences: Sequences,
    items: Records,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    seeds: int = 1,
) -> dict[str, Any]:
    """Return the report of ``evaluate_cold_start`` on sequences over (I,) ``ITEM_RECORD``.

    Raises:
        InvalidInput: too few viewers took enough to say anything.
    """
    runs = []
    for number in range(seeds):

        def progress(stage: str, share: float, number: int = number) -> None:
            if on_progress is not None:
                on_progress(f"seed {number + 1} of {seeds}: {stage}", share)

        training = msgspec.structs.replace(settings.training, seed=settings.training.seed + number)
        seeded = msgspec.structs.replace(settings, training=training)
        runs.append(_run(sequences, items, seeded, progress))
    return {
        "protocol": "cold-start",
        "cut": CUT,
        "seeds": seeds,
        "held_share": HELD_SHARE,
        "videos": {**runs[0].told, **_summary([run.videos for run in runs])},
        "viewers": {
            str(size): _summary([run.viewers[size] for run in runs])
            for size in runs[0].viewers
            if all(size in run.viewers for run in runs)
        },
        "note": f"above {FLOOR}: paired differences over viewers with 95 % intervals. What is new "
        "was taken by nobody, so its popularity is that of its author and topics; 'hindsight' "
        "knows how often it will be taken",
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """(V,) how many stand above each target by what ranks; of new videos, and after n videos."""

    told: dict[str, int]
    videos: dict[str, Ints]
    viewers: dict[int, dict[str, Ints]]


def _run(sequences: Sequences, items: Records, settings: Settings, on_progress: OnProgress) -> _Run:
    held = HeldOut.draw(sequences, len(items), settings.training.seed)
    train, others, newcomers = held.parts(sequences)
    towers = train_towers(train, items, settings, on_progress)
    takes = np.bincount(train.items, minlength=len(items))
    report = within(on_progress, "rank all videos")
    report(0.0)
    cold = last_new(others, held.videos)
    hindsight = np.where(held.videos, np.bincount(others.items, minlength=len(items)), 0)
    found = _above(
        cold,
        {
            OURS: _by_towers(towers),
            FLOOR: _by_number(kindred_takes(items, takes, ~held.videos)),
            "hindsight": _by_number(hindsight),
        },
    )
    report(0.5)
    counts = count_transitions(train, len(items))
    rankers = {
        OURS: _by_towers(towers),
        FLOOR: _by_number(takes),
        "counts": lambda taken, kinds: counted(counts, taken, len(items)),
    }
    after = {}
    for size in HISTORY_SIZES:
        asked = after_some(newcomers, size, takes > 0)
        if len(asked.targets) >= FEWEST_VIEWERS:
            after[size] = _above(asked, rankers)
    report(1.0)
    told = {"held": int(held.videos.sum()), "of": int((takes > 0).sum() + held.videos.sum())}
    return _Run(told, found, after)


def _by_towers(towers: TrainedTowers) -> Ranker:
    return lambda taken, kinds: viewers_of(towers, taken, kinds) @ towers.item_vectors.T


def _by_number(scores: npt.NDArray[Any]) -> Ranker:
    return lambda taken, kinds: np.broadcast_to(
        scores.astype(np.float32), (len(taken), len(scores))
    )


def _above(last: LastVideos, rankers: dict[str, Ranker]) -> dict[str, Ints]:
    """Return (V,) how many videos stand above each target, by the name of what ranks them."""
    found = {name: np.empty(len(last.targets), np.int64) for name in rankers}
    for part, items, kinds in last.parts():
        barred = np.stack([barred_of(last.among, taken) for taken in items])
        for name, ranker in rankers.items():
            found[name][part] = above(ranker(items, kinds), barred, last.targets[part])
    return found


def _summary(runs: list[dict[str, Ints]]) -> dict[str, Any]:
    """Return the figures of all runs together, and how far the towers are above popularity."""
    gains = {name: [gains_of(run[name]) for run in runs] for name in runs[0]}
    return {
        "viewers": int(np.mean([len(run[OURS]) for run in runs])),
        "sources": {name: _figures(each) for name, each in gains.items()},
        "above_popularity": _margins(gains),
    }


def _figures(runs: list[dict[str, Doubles]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for figure in runs[0]:
        means = [float(run[figure].mean()) for run in runs]
        found[figure] = round(float(np.mean(means)), 4)
        found[f"{figure}_spread"] = round(max(means) - min(means), 4)
    return found


def _margins(gains: dict[str, list[dict[str, Doubles]]]) -> dict[str, dict[str, Any]]:
    found = {}
    for figure in gains[OURS][0]:
        pairs = zip(gains[OURS], gains[FLOOR], strict=True)
        paired = np.concatenate([ours[figure] - floor[figure] for ours, floor in pairs])
        mean = float(paired.mean())
        half = _TWO_SIDED * float(paired.std()) / math.sqrt(len(paired))
        found[figure] = {
            "gain": round(mean, 4),
            "interval": [round(mean - half, 4), round(mean + half, 4)],
        }
    return found
