"""Both towers trained by a crew: batches are split, tables spread, the user tower copied."""

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playbill.features.layout import HISTORY
from playbill.models.networks import ItemColumns
from playbill.models.tasks import WIDTH
from playbill.models.user_network import UserNetwork
from playbill.training.parallel.crew import Crew
from playbill.training.parallel.placing import Placement, Plan, place
from playbill.training.parallel.spread_items import DEVIATIONS, SpreadItems, tables_of
from playbill.training.parallel.tables import Rule, SpreadTable
from playbill.training.sequences import Sequences
from playbill.training.softmax_loss import softmax_loss
from playbill.training.tower_rules import (
    RESIDUAL_DROPOUT,
    WARM_UP_STEPS,
    how_often_met,
    loss_weights,
    rise_and_fall,
)
from playbill.training.windows import Batch, batches, cut

Ints = npt.NDArray[np.int64]


class SpreadRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """How towers are trained by a crew.

    What follows from it is the same for any number of workers but for the order of sums, as long as
    nothing of the user tower is dropped.
    """

    seed: int
    passes: int
    videos: int
    """Of a step."""
    negatives: int
    """Drawn evenly in a step, and shared by all workers."""
    rule: Rule = Rule.ADAGRAD
    rate: float = 0.05
    """Of the tables."""
    dense_rate: float = 3e-3
    """Of the user tower."""
    dropout: float = RESIDUAL_DROPOUT
    user_dropout: float = 0.2
    warm_up: int = WARM_UP_STEPS


class SpreadTowers:
    """One worker's part of both towers, and the steps that train them.

    Args:
        sequences: all of them; every worker reads the same and takes its share of each batch.
        columns: of all I videos.
        sizes: buckets of languages, and of durations.
        plan: how tables are spread.
        recipe: of the training.
        crew: the workers.
    """

    def __init__(
        self,
        sequences: Sequences,
        columns: ItemColumns,
        sizes: tuple[int, int],
        plan: Plan,
        recipe: SpreadRecipe,
        crew: Crew,
    ) -> None:
        self.sequences, self.recipe, self.crew = sequences, recipe, crew
        self.placements: dict[str, Placement] = place(tables_of(columns, *sizes), crew.size, plan)
        self.tables = {
            name: SpreadTable(
                placement, crew, recipe.seed, DEVIATIONS[name], recipe.rule, recipe.rate
            )
            for name, placement in self.placements.items()
        }
        self.items = SpreadItems(columns, self.tables, recipe.dropout, recipe.seed)
        self.catalogue = len(columns.authors)
        torch.manual_seed(recipe.seed)
        self.user = UserNetwork(recipe.user_dropout)
        self.optimiser = self._optimiser()
        shares = np.bincount(sequences.items, minlength=self.catalogue) / max(len(sequences), 1)
        self._frequency = shares.astype(np.float32)

    def batches(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one pass, the same for every worker."""
        random = np.random.default_rng([self.recipe.seed, number])
        windows = cut(self.sequences, HISTORY, random)
        return batches(self.sequences, windows, self.recipe.videos, random)

    def among(self, batch: Batch, number: int) -> Ints:
        """Return (K,) the videos that a step tells apart: those of the batch, and some drawn."""
        random = np.random.default_rng([self.recipe.seed, 1, number])
        drawn = random.integers(self.catalogue, size=self.recipe.negatives)
        return np.unique(np.concatenate([batch.items[batch.asked], drawn]))

    def step(self, batch: Batch, number: int, steps: int, *, among: Ints | None = None) -> float:
        """Take one step on a batch, this worker on its share of it, and return the whole loss.

        A collective call.

        Args:
            batch: the whole one.
            number: of the step, from 0.
            steps: in all, for the learning rate.
            among: (K,) videos to tell apart, ascending; None for those of the batch.
        """
        self._set_rates(number, steps)
        torch.manual_seed(hash_of(self.recipe.seed, number, self.crew.number))
        self.user.train()
        self.optimiser.zero_grad()
        loss = self._loss(batch, number, self.among(batch, number) if among is None else among)
        torch.autograd.backward(loss)
        self._sum_gradients()
        self.optimiser.step()
        for table in self.tables.values():
            table.correct()
        return float(self.crew.summed(loss.detach().clone()))

    def _loss(self, batch: Batch, number: int, among: Ints) -> Tensor:
        """Return this worker's part of the weighted softmax loss of a batch.

        The videos told apart are those of the whole batch and some drawn evenly, corrected for how
        often each is met; see ``tower_training``.
        """
        weights = loss_weights(batch.kinds)
        total = float(weights[batch.asked].sum())
        mine = share_of(batch, self.crew)
        needed, place = np.unique(np.concatenate([among, mine.items.ravel()]), return_inverse=True)
        vectors = self.items.vectors(needed, number)
        places = torch.from_numpy(place)
        keys = vectors[places[: len(among)]]
        if not mine.asked.any():
            nothing: Tensor = keys.sum() * 0.0
            return nothing
        recent = vectors[places[len(among) :]].view(*mine.items.shape, WIDTH)
        asked = torch.from_numpy(mine.asked)
        kinds = torch.from_numpy(mine.kinds)
        viewers = self.user(recent[:, :-1], kinds[:, :-1])[asked] * self.user.log_scale.exp()
        wanted = torch.from_numpy(np.searchsorted(among, mine.items[mine.asked]))
        part = torch.from_numpy(weights[self.crew.number :: self.crew.size][mine.asked]).float()
        shares, targets = self._frequency[among], int(batch.asked.sum())
        met = torch.from_numpy(
            how_often_met(shares, targets, self.recipe.negatives, self.catalogue)
        ).float()
        share = float(part.sum()) / total
        found: Tensor = softmax_loss(viewers, keys, -met.log(), wanted, part) * share
        return found

    def _sum_gradients(self) -> None:
        """Add up the user tower's gradients of all workers, in one call."""
        parameters = list(self.user.parameters())
        flat = torch.cat([
            (p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in parameters
        ])  # fmt: skip
        self.crew.summed(flat)
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, torch.split(flat, sizes), strict=True):
            parameter.grad = part.view_as(parameter).clone()

    def _optimiser(self) -> torch.optim.Optimizer:
        rate = self.recipe.dense_rate
        if self.recipe.rule is Rule.SGD:
            return torch.optim.SGD(self.user.parameters(), lr=rate)
        return torch.optim.Adagrad(self.user.parameters(), lr=rate, eps=1e-8)

    def _set_rates(self, number: int, steps: int) -> None:
        """Let both rates rise over the first steps, and fall along a cosine."""
        factor = rise_and_fall(number, number / max(steps, 1), self.recipe.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.dense_rate * factor
        for table in self.tables.values():
            table.rate = self.recipe.rate * factor


def share_of(batch: Batch, crew: Crew) -> Batch:
    """Return this worker's windows of a batch; the last worker may have one fewer, or none."""
    mine = slice(crew.number, None, crew.size)
    return Batch(batch.items[mine], batch.kinds[mine], batch.asked[mine])


def hash_of(*numbers: int) -> int:
    """Return a seed that follows from some numbers."""
    return int(np.random.SeedSequence(list(numbers)).generate_state(1)[0])
