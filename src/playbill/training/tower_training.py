"""The retrieval towers: viewers and videos in one space, by sampled softmax."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playbill.contracts import Settings
from playbill.models import ContentTower
from playbill.models.content_tower import DURATION_EDGES_MS, LANGUAGES, normalised
from playbill.models.networks import ItemNetwork, UserNetwork
from playbill.models.onnx_graphs import user_tower_graph
from playbill.training.determinism import repeatable
from playbill.training.progress import OnProgress, within
from playbill.training.steps import plan_steps
from playbill.training.tower_data import ItemPlaces, Positives, item_places

Floats = npt.NDArray[np.float32]
Records = npt.NDArray[np.void]

LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-2
TEMPERATURE = 0.1
RESIDUAL_DROPOUT = 0.3
SHARED_NEGATIVES = 512
"""Videos drawn evenly and added to every step's own, so that unpopular ones are placed too."""
MOST_STEPS = 1_500
"""Steps at most; over more positives than that, each pass takes a share of them by chance."""
_REPORT_EVERY = 8


@dataclass(frozen=True, slots=True)
class TrainedTowers:
    """Both towers, ready to be shipped.

    ``user_graph`` is the bytes of ``user_tower.onnx``; ``item_vectors`` (I, 64) are those of all
    videos, hidden ones too.
    """

    user_graph: bytes
    content: ContentTower
    item_vectors: Floats
    user: UserNetwork
    item: ItemNetwork
    record: dict[str, Any]


def train_towers(
    positives: Positives,
    items: Records,
    settings: Settings,
    on_progress: OnProgress | None = None,
) -> TrainedTowers:
    """Return towers trained on what viewers took.

    Args:
        positives: of the rows that train.
        items: (I,) ``ITEM_RECORD``.
        settings: seed, threads, epochs and rows of a step.
    """
    places = item_places(items, positives.items)
    training = settings.training
    with repeatable(training.seed + 1, training.threads):
        user = UserNetwork()
        item = ItemNetwork(places.columns, RESIDUAL_DROPOUT, LANGUAGES, len(DURATION_EDGES_MS) + 1)
        losses = _fit(user, item, positives, items, settings, on_progress)
    user.eval()
    item.eval()
    content = _content(item, places)
    record = {
        "positives": len(positives),
        "passes": training.tower_epochs,
        "losses": [round(loss, 6) for loss in losses],
        "items_with_residual": len(places.item_rows),
        "authors": len(places.author_rows),
        "temperature": TEMPERATURE,
    }
    vectors = _item_vectors(content, item, places, items)
    return TrainedTowers(user_tower_graph(user), content, vectors, user, item, record)


def _fit(
    user: UserNetwork,
    item: ItemNetwork,
    positives: Positives,
    items: Records,
    settings: Settings,
    on_progress: OnProgress | None,
) -> list[float]:
    """Train both in place and return the mean loss of each pass."""
    training = settings.training
    parameters = [*user.parameters(), *item.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    shares = np.bincount(positives.items, minlength=len(items)) / len(positives)
    frequency = torch.from_numpy(shares.astype(np.float32))
    plan = plan_steps(len(positives), training.batch_rows, training.tower_epochs, most=MOST_STEPS)
    report = within(on_progress, "train towers")
    step, losses = 0, list[float]()
    for _ in range(plan.passes):
        total = 0.0
        order = torch.randperm(len(positives)).numpy()[: plan.per_pass * plan.batch_rows]
        for first in range(0, len(order), plan.batch_rows):
            part = order[first : first + plan.batch_rows]
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * max(1.0 - step / plan.steps, 0.01)
            optimiser.zero_grad()
            loss = _loss(user, item, positives, part, frequency)
            torch.autograd.backward(loss)
            optimiser.step()
            total += float(loss.detach()) * len(part)
            step += 1
            if step % _REPORT_EVERY == 0:
                report(step / plan.steps)
        losses.append(total / len(order))
    report(1.0)
    return losses


def _loss(
    user: UserNetwork,
    item: ItemNetwork,
    positives: Positives,
    part: npt.NDArray[np.int64],
    frequency: Tensor,
) -> Tensor:
    """Return the weighted softmax loss of some positives against the step's videos.

    Candidates are the distinct videos of the step and a few drawn evenly; each logit is lowered by
    the log of how often its video is met that way, so that popularity is not punished.

    Source: Yi et al.: Sampling-bias-corrected neural modeling, RecSys 2019.
    """
    targets = torch.from_numpy(positives.items[part])
    drawn = torch.randint(len(frequency), (SHARED_NEGATIVES,))
    candidates = torch.unique(torch.cat([targets, drawn]))
    history = torch.from_numpy(positives.history[part])
    needed, place = torch.unique(torch.cat([candidates, history.flatten()]), return_inverse=True)
    vectors = item(needed)
    recent = vectors[place[len(candidates) :]].view(*history.shape, -1)
    viewers = user(recent, torch.from_numpy(positives.history_weights[part]))
    met = (
        1.0
        - (1.0 - frequency[candidates]).pow(len(part))
        * (1.0 - 1.0 / len(frequency)) ** SHARED_NEGATIVES
    )
    logits = viewers @ vectors[place[: len(candidates)]].T / TEMPERATURE - met.log()
    losses = torch.nn.functional.cross_entropy(
        logits, torch.searchsorted(candidates, targets), reduction="none"
    )
    weights = torch.from_numpy(positives.weights[part])
    return (losses * weights).sum() / weights.sum()


def _content(item: ItemNetwork, places: ItemPlaces) -> ContentTower:
    """Return the content side of an item network, without place 0, which is nothing."""
    return ContentTower(
        topics=_array(item.topics.weight)[1:],
        author_rows=places.author_rows,
        authors=_array(item.authors.weight)[1:],
        languages=_array(item.languages.weight),
        durations=_array(item.durations.weight),
    )


def _item_vectors(
    content: ContentTower, item: ItemNetwork, places: ItemPlaces, items: Records
) -> Floats:
    """Return (I, 64) unit vectors: content, and what is a video's own where it has something."""
    sums = content.sums(items)
    sums[places.item_rows] += _array(item.residuals.weight)[1:]
    return normalised(sums)


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().numpy().copy()
    return array
