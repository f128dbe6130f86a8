"""The retrieval towers: viewers and videos in one space, by sampled softmax."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playbill.contracts import Settings
from playbill.features.layout import HISTORY
from playbill.models import ContentTower
from playbill.models.content_tower import DURATION_EDGES_MS, LANGUAGES, normalised
from playbill.models.networks import ItemNetwork
from playbill.models.user_graph import user_tower_graph
from playbill.models.user_network import UserNetwork
from playbill.training.determinism import repeatable
from playbill.training.fitting import Recipe, Session, fit
from playbill.training.progress import OnProgress, within
from playbill.training.sequences import Sequences
from playbill.training.softmax_loss import softmax_loss
from playbill.training.steps import plan_steps
from playbill.training.tower_data import ItemPlaces, item_places
from playbill.training.tower_rules import (
    RESIDUAL_DROPOUT,
    how_often_met,
    loss_weights,
    require_sequences,
    rise_and_fall,
)
from playbill.training.towers_left import WARM_SHARE, TowersLeft
from playbill.training.windows import Batch, batches, cut

Floats = npt.NDArray[np.float32]
Records = npt.NDArray[np.void]

LEARNING_RATE = 3e-3
BETAS = 0.9, 0.98
WEIGHT_DECAY = 1e-2
ALL_VIDEOS = 8_192
"""Up to so many videos, each is told from all others; beyond it, from those of the step."""
SHARED_NEGATIVES = 512
"""Videos drawn evenly and added to every step's own, so that unpopular ones are placed too."""
VIDEOS_PER_ROW = 16
"""A step foretells so many times the rows of one step of the ranker."""
FEWEST_STEPS = 300
"""On few videos there are more passes than the setting says, up to 30."""


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
    record: dict[str, Any]
    item: ItemNetwork | None = None
    """None where a crew trained it: its tables are spread."""
    left: TowersLeft | None = None
    """What the next training may begin with; None where a crew was not asked for it."""


def train_towers(
    sequences: Sequences,
    items: Records,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    session: Session | None = None,
    begin: TowersLeft | None = None,
) -> TrainedTowers:
    """Return towers trained to foretell what viewers took next.

    Args:
        sequences: of the rows that train.
        items: (I,) ``ITEM_RECORD``.
        settings: seed, threads, epochs and rows of a step.
        on_progress: told of the stage "train towers".
        session: where it is kept, and who hears of it.
        begin: other towers to begin with, which then takes fewer passes.

    Raises:
        InvalidInput: there is no sequence to learn from, or the others have other layers.
    """
    require_sequences(sequences)
    places = item_places(items, sequences.items)
    training = settings.training
    with repeatable(training.seed + 1, training.threads):
        user = UserNetwork()
        item = ItemNetwork(places.columns, RESIDUAL_DROPOUT, LANGUAGES, len(DURATION_EDGES_MS) + 1)
        passes = training.tower_epochs
        if begin is not None:
            begin.into(user, item, places)
            passes = -(-passes // WARM_SHARE)
        losses = _fit(user, item, sequences, len(items), passes, settings, session, on_progress)
    user.eval()
    item.eval()
    content = _content(item, places)
    record = {
        "positives": len(sequences),
        "passes": len(losses),
        "losses": [round(loss, 6) for loss in losses],
        "items_with_residual": len(places.item_rows),
        "authors": len(places.author_rows),
        "words": len(places.word_codes),
        "scale": round(float(user.log_scale.detach().exp()), 4),
    }
    vectors = _item_vectors(content, item, places, items)
    left = TowersLeft.of(user, item.state_dict(), places)
    return TrainedTowers(user_tower_graph(user), content, vectors, user, record, item, left)


def _fit(
    user: UserNetwork,
    item: ItemNetwork,
    sequences: Sequences,
    size: int,
    passes: int,
    settings: Settings,
    session: Session | None,
    on_progress: OnProgress | None,
) -> list[float]:
    """Train both in place and return the mean loss of each pass."""
    training = settings.training
    random = np.random.default_rng(training.seed + 1)
    shares = np.bincount(sequences.items, minlength=size) / len(sequences)
    frequency = torch.from_numpy(shares.astype(np.float32))
    plan = plan_steps(
        len(sequences),
        training.batch_rows * VIDEOS_PER_ROW,
        passes,
        fewest=FEWEST_STEPS,
    )
    recipe = Recipe(
        stage="towers",
        modules={"user": user, "item": item},
        optimiser=torch.optim.AdamW(
            [*user.parameters(), *item.parameters()],
            lr=LEARNING_RATE,
            betas=BETAS,
            weight_decay=WEIGHT_DECAY,
        ),
        passes=plan.passes,
        batches=lambda: batches(
            sequences, cut(sequences, HISTORY, random), plan.batch_rows, random
        ),
        loss=lambda batch: _loss(user, item, batch, frequency),
        size=lambda batch: int(batch.asked.sum()),
        examples=len(sequences),
        rate=lambda step, share: LEARNING_RATE * rise_and_fall(step, share),
        random=random,
    )
    return fit(recipe, session, within(on_progress, "train towers")).losses


def _loss(user: UserNetwork, item: ItemNetwork, batch: Batch, frequency: Tensor) -> Tensor:
    """Return the weighted softmax loss of a batch's videos, each told from many others.

    Among few videos the others are all of them. Among many they are the distinct ones of the step
    and a few drawn evenly; each logit is lowered by the log of how often its video is met that
    way, so that popularity is not punished.

    Source: Yi et al.: Sampling-bias-corrected neural modeling, RecSys 2019.
    """
    asked = torch.from_numpy(batch.asked)
    items = torch.from_numpy(batch.items)
    targets = items[asked]
    if len(frequency) <= ALL_VIDEOS:
        vectors = item(torch.arange(len(frequency)))
        recent, among, wanted = vectors[items], vectors, targets
        met = torch.ones(len(vectors))
    else:
        drawn = torch.randint(len(frequency), (SHARED_NEGATIVES,))
        candidates = torch.unique(torch.cat([targets, drawn]))
        needed, place = torch.unique(torch.cat([candidates, items.flatten()]), return_inverse=True)
        vectors = item(needed)
        recent = vectors[place[len(candidates) :]].view(*items.shape, -1)
        among, wanted = vectors[place[: len(candidates)]], torch.searchsorted(candidates, targets)
        shares = frequency[candidates]
        met = how_often_met(shares, len(targets), SHARED_NEGATIVES, len(frequency))
    kinds = torch.from_numpy(batch.kinds)
    viewers = user(recent[:, :-1], kinds[:, :-1])[asked]
    weights = loss_weights(kinds[asked])
    return softmax_loss(viewers * user.log_scale.exp(), among, -met.log(), wanted, weights)


def _content(item: ItemNetwork, places: ItemPlaces) -> ContentTower:
    """Return the content side of an item network, without place 0, which is nothing."""
    return ContentTower(
        topics=_array(item.topics.weight)[1:],
        author_rows=places.author_rows,
        authors=_array(item.authors.weight)[1:],
        word_codes=places.word_codes,
        words=_array(item.words.weight)[1:],
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
