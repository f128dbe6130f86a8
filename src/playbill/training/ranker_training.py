"""The ranker: trained on one part of time, chosen and calibrated on the next."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playbill.contracts import Settings, TrainingSettings
from playbill.core import Conflict, InvalidInput
from playbill.models import TASKS, Interests
from playbill.models.interest_network import InterestedRanker
from playbill.models.networks import RankerNetwork
from playbill.models.onnx_graphs import ranker_graph
from playbill.training.dataset import REQUIRED, Histories, Rows
from playbill.training.determinism import repeatable
from playbill.training.exploring import weights_of
from playbill.training.fitting import Recipe, Session, fit
from playbill.training.positions import PositionBias
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_calibration import Calibration
from playbill.training.ranker_rows import NOTHING, Ablation, RankerRows, network_of, score_logits
from playbill.training.split import Split
from playbill.training.steps import plan_steps

Places = npt.NDArray[np.int64]

WEIGHT_DECAY = 0.01
INTEREST_DECAY = 0.5
"""Videos are learned by heart otherwise: decision 0034."""
FEWEST_STEPS = 1_000
"""On few rows there are more passes than the setting says; the one that validates best is kept."""
WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""
DECAY = 0.5
"""Share of the steps, at the end, over which it falls to a hundredth."""
WARM_PACE = 0.3
"""Share of the learning rate for a ranker that begins with another."""
AVERAGED = 0.999
"""What is kept is the mean of about the last thousand steps: decision 0040."""


@dataclass(frozen=True, slots=True)
class Start:
    """Another ranker to begin with: what puts it ``into`` a new one, which then learns slower.

    ``until_ms`` is where the rows ended that it learned from, ``known_until_ms`` where those did
    of which it knew every label; the new one learns from there on.
    """

    into: Callable[[InterestedRanker, PositionBias], None]
    until_ms: int
    known_until_ms: int

    def learned(self, rows: Rows, train: Places) -> Places:
        """Return those of the rows that train that are new, or were not known.

        Raises:
            Conflict: none is new.
        """
        at_ms = rows.at_ms[train]
        if not (at_ms >= self.until_ms).any():
            raise Conflict(
                "no row that trains is newer than those that the ranker to begin with learned from",
                hint="over days, rows begin to train a day at a time: wait, or train without "
                "--warm",
            )
        return train[at_ms >= min(self.until_ms, self.known_until_ms)]


@dataclass(frozen=True, slots=True)
class TrainedRanker:
    """A ranker ready to be shipped.

    ``graph`` is the bytes of ``ranker.onnx``; ``record`` says how it came about, for the card.
    """

    graph: bytes
    network: InterestedRanker
    record: dict[str, Any]
    interests: Interests | None
    """None where it reads features alone."""
    positions: PositionBias
    """What places did while it was taught."""

    def save(self, folder: Path) -> None:
        """Write what a bundle holds of it."""
        (folder / "ranker.onnx").write_bytes(self.graph)
        if self.interests is not None:
            self.interests.save(folder)


def train_ranker(
    rows: Rows,
    split: Split,
    settings: Settings,
    histories: Histories | None,
    *,
    require: tuple[str, ...] = REQUIRED,
    hidden: tuple[int, ...] | None = None,
    without: Ablation = NOTHING,
    session: Session | None = None,
    start: Start | None = None,
    on_progress: OnProgress | None = None,
) -> TrainedRanker:
    """Return the calibrated ranker of a split; rows that report are not looked at.

    A task outside ``require`` whose training rows are of one class only is left untaught: its
    head says the smoothed rate, and the record names it.

    Args:
        rows: of all parts.
        split: which train and which choose.
        settings: the recipe.
        histories: of the rows' snapshots; None for a ranker that reads features alone.
        require: tasks without which there is no ranker.
        hidden: widths of the hidden layers, None for those of the recipe; none of them, (), make it
            a logistic regression.
        without: what it does without, to see what that is worth.
        session: where it is kept, and who hears of it.
        start: what it begins with, None for nothing.
        on_progress: told of the stage "train ranker".

    Raises:
        InvalidInput: a task of ``require`` has one class only, or no pass validates with a finite
            loss.
    """
    train, validate = (np.flatnonzero(of(rows.at_ms)) for of in (split.train, split.validate))
    taught = taught_tasks(rows, train, require)
    learned = train if start is None else start.learned(rows, train)
    inputs = RankerRows(rows, histories, without)
    with repeatable(settings.training.seed, settings.training.threads):
        widths = settings.training.hidden if hidden is None else hidden
        network = network_of(inputs, train, settings, widths)
        places = PositionBias(len(settings.surfaces) + 1)
        if start is not None:
            start.into(network, places)
        weights = weights_of(rows, train, settings.training)
        of, parts = Losses(network, places, inputs, taught, weights), (learned, validate)
        losses = _fit(of, parts, settings.training, session, on_progress, warm=start is not None)
        _silence(network.ranker, rows, train, taught)
        interests = network.interests.rounded() if network.interests else None
        calibration = _calibrated(network, inputs, (train, validate), taught)
    record = {
        "train_rows": len(learned),
        "validate_rows": len(validate),
        **_described(losses, taught),
        **calibration.described(),
        "click_odds_by_place": places.described(settings.surfaces),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    return TrainedRanker(ranker_graph(network.ranker), network, record, interests, places)


def _calibrated(
    network: InterestedRanker,
    inputs: RankerRows,
    parts: tuple[Places, Places],
    taught: npt.NDArray[np.bool_],
) -> Calibration:
    """Make the logits of taught tasks calibrated on rows that did not train.

    A task of which nothing is known there yet is calibrated on the newest rows where it is.
    """
    (train, validate), rows, surfaces = parts, inputs.rows, len(network.ranker.shifts)
    wanted = taught & (not inputs.without.calibration)
    late = wanted & ~rows.known[validate].any(axis=0)
    if late.any():
        newest = train[rows.known[train][:, late].all(axis=1)][-len(validate) :]
        chosen = np.concatenate([newest, validate])
    else:
        newest, chosen = train[:0], validate
    known = rows.known[chosen].copy()
    known[: len(newest), ~late] = False
    logits, said = score_logits(network, inputs, chosen), rows.categories[chosen, 0]
    calibration = Calibration.fit(logits, rows.labels[chosen], known, said, surfaces, wanted)
    network.ranker.fold_calibration(calibration.lines, calibration.shifts)
    return calibration


def _described(losses: list[float], taught: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return what the passes came to, and for which tasks there were none."""
    return {
        "untaught": [task for task, known in zip(TASKS, taught, strict=True) if not known],
        "passes": len(losses),
        "best_pass": int(np.nanargmin(losses)) + 1,
        "validation_losses": [round(loss, 6) if math.isfinite(loss) else None for loss in losses],
    }


def taught_tasks(rows: Rows, train: Places, require: tuple[str, ...] = ()) -> npt.NDArray[np.bool_]:
    """Return (4,) True for tasks that have both classes among rows that train and are known.

    Raises:
        InvalidInput: a required task has not, or none has.
    """
    known = rows.known[train]
    counts, sizes = (rows.labels[train] & known).sum(axis=0), known.sum(axis=0)
    taught: npt.NDArray[np.bool_] = (counts > 0) & (counts < sizes)
    for task, both, count, size in zip(TASKS, taught, counts, sizes, strict=True):
        if not both and (task in require or not taught.any()):
            raise InvalidInput(
                f"{count:,} of {size:,} training rows whose attribution window has passed are a "
                f"{task}; a task needs rows with and without",
                hint="check that outcomes reach the log and join: see late and unmatched",
            )
    return taught


def _fit(
    losses_of: "Losses",
    parts: tuple[Places, Places],
    training: TrainingSettings,
    session: Session | None,
    on_progress: OnProgress | None,
    *,
    warm: bool,
) -> list[float]:
    """Train in place, keep the pass that validates best, and return the validation losses.

    Args:
        losses_of: the network, and what is to be lowered.
        parts: rows that train, and rows that validate.
        training: the recipe.
        session: where it is kept.
        on_progress: told of the stage "train ranker".
        warm: it begins with another: slower, and with no more passes than the recipe says.

    Raises:
        InvalidInput: no pass has a finite validation loss.
    """
    (train, validate), network, places = parts, losses_of.network, losses_of.places
    learning_rate = training.learning_rate * (WARM_PACE if warm else 1.0)
    fewest = 0 if warm else FEWEST_STEPS
    plan = plan_steps(len(train), training.batch_rows, training.epochs, fewest=fewest)

    def batches() -> Iterator[Places]:
        order = train[torch.randperm(len(train)).numpy()]
        for first in range(0, len(order), plan.batch_rows):
            yield order[first : first + plan.batch_rows]

    recipe = Recipe(
        stage="ranker",
        modules={"ranker": network, "places": places},
        optimiser=torch.optim.AdamW(_groups(network, places), lr=learning_rate),
        passes=plan.passes,
        batches=batches,
        loss=losses_of.of,
        size=len,
        examples=len(train),
        rate=lambda step, share: learning_rate * schedule(step / plan.steps),
        validate=lambda: losses_of.validated(validate),
        averaged=AVERAGED,
    )
    losses = fit(recipe, session, within(on_progress, "train ranker")).validation
    if not any(map(math.isfinite, losses)):
        raise InvalidInput(
            f"none of {len(losses)} passes has a finite validation loss at a learning rate of "
            f"{learning_rate:g}",
            field="training.learning_rate",
            hint="lower training.learning_rate in playbill.toml",
        )
    return losses


def schedule(done: float) -> float:
    """Return the factor on the learning rate when a share of the steps is done: up, flat, down."""
    return max(min((done + 1e-4) / WARM_UP, 1.0, (1.0 - done) / DECAY), 0.01)


def _groups(network: InterestedRanker, places: PositionBias) -> list[dict[str, Any]]:
    """Return the parameters with what each gives up of its weight at a step."""
    usual = [*network.ranker.parameters(), *places.parameters()]
    groups = [{"params": usual, "weight_decay": WEIGHT_DECAY}]
    if network.interests is not None:
        of_videos = list(network.interests.parameters())
        groups.append({"params": of_videos, "weight_decay": INTEREST_DECAY})
    return groups


@dataclass(frozen=True, slots=True)
class Losses:
    """The log loss of tasks that are taught, each over rows whose label is known.

    ``weights`` (N,) of rows; None where all count alike.
    """

    network: InterestedRanker
    places: PositionBias
    inputs: RankerRows
    taught: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float32] | None = None

    def of(self, part: Places) -> Tensor:
        """Return the sum over tasks of the mean over some rows."""
        return self._mean(self.network(*self.inputs.of(part)), part)

    def validated(self, part: Places) -> float:
        """Return the same of rows that do not train."""
        with torch.no_grad():
            logits = torch.from_numpy(score_logits(self.network, self.inputs, part))
            return float(self._mean(logits.double(), part))

    def _mean(self, logits: Tensor, part: Places) -> Tensor:
        rows = self.inputs.rows
        logits = logits + self.places.of(rows, part)
        targets = torch.from_numpy(rows.labels[part]).to(logits.dtype)
        counted = torch.from_numpy(rows.known[part] & self.taught).to(logits.dtype)
        if self.weights is not None:
            counted *= torch.from_numpy(self.weights[part]).unsqueeze(1)
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets, reduction="none"
        )
        return ((losses * counted).sum(dim=0) / counted.sum(dim=0).clamp(min=1e-6)).sum()


def _silence(
    network: RankerNetwork, rows: Rows, train: Places, taught: npt.NDArray[np.bool_]
) -> None:
    """Make untaught heads say the smoothed rate of known rows, whatever the input."""
    known = rows.known[train]
    counts, sizes = (rows.labels[train] & known).sum(axis=0), known.sum(axis=0)
    with torch.no_grad():
        for head in np.flatnonzero(~taught):
            rate = (counts[head] + 1.0) / (sizes[head] + 2.0)
            network.heads.weight[head] = 0.0
            network.heads.bias[head] = float(np.log(rate / (1.0 - rate)))
