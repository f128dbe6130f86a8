"""The loop every network is fitted in: passes of steps, and going on exactly where it was left."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from playbill.training.checkpoints import Checkpoints

B = TypeVar("B")

_REPORT_EVERY = 8


@dataclass(frozen=True, slots=True)
class Recipe(Generic[B]):
    """How a network is fitted.

    Args:
        stage: its name, for checkpoints and for whoever watches.
        modules: networks that are fitted, by name.
        optimiser: over all their parameters.
        passes: over the examples.
        batches: of one pass; draws all that it leaves to chance before it yields the first.
        loss: of a batch, to be lowered.
        size: how many examples a batch has.
        examples: of a pass.
        rate: learning rate, by step and by the share of the whole that is done.
        random: what ``batches`` draws from beside torch's own generator.
        validate: the loss of a pass on rows held out; the best pass is kept. None keeps the last.
        averaged: share of itself that the mean of all weights so far keeps at a step; what is
            validated and kept is then that mean. None keeps the weights as they are.
    """

    stage: str
    modules: Mapping[str, nn.Module]
    optimiser: Optimizer
    passes: int
    batches: Callable[[], Iterator[B]]
    loss: Callable[[B], Tensor]
    size: Callable[[B], int]
    examples: int
    rate: Callable[[int, float], float]
    random: np.random.Generator | None = None
    validate: Callable[[], float] | None = None
    averaged: float | None = None

    def parameters(self) -> list[nn.Parameter]:
        """Return what is fitted, in an order that stays."""
        return [each for module in self.modules.values() for each in module.parameters()]


@dataclass(slots=True)
class Fitted:
    """Mean loss of every pass on what it learned from, and of every pass on what validates."""

    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    """Where a fit is: what a checkpoint holds beside weights."""

    passes: int = 0
    batches: int = 0
    """Taken of this pass."""
    steps: int = 0
    examples: int = 0
    total: float = 0.0
    """Losses of this pass, added up over its examples."""


@dataclass(slots=True)
class Session:
    """What a run has beside its inputs: none of it changes a weight.

    Args:
        checkpoints: where it is kept; None for nowhere.
        on_metric: told a stage and what is measured there, in words.
    """

    checkpoints: Checkpoints | None = None
    on_metric: Callable[[str, str], None] = lambda stage, words: None


def fit(
    recipe: Recipe[B],
    session: Session | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> Fitted:
    """Fit in place, from a checkpoint if there is one, and return the losses.

    A fit that was interrupted and goes on ends with the same bits as one that was not.

    Raises:
        Interrupted: the session was told to stop; a checkpoint is there.
        DependencyUnavailable: a checkpoint cannot be written; the one before it is as it was.
        InvalidInput: the checkpoint cannot be read.
    """
    return _Fit(recipe, session or Session(), report).run()


class _Fit(Generic[B]):
    def __init__(
        self, recipe: Recipe[B], session: Session, report: Callable[[float], None]
    ) -> None:
        self.recipe, self.session, self.report = recipe, session, report
        self.place, self.fitted = _Place(), Fitted()
        self.best: dict[str, dict[str, Tensor]] = {}
        averaged = [] if recipe.averaged is None else recipe.parameters()
        self.means = [each.detach().clone() for each in averaged]
        self.begun = self._chance()

    def run(self) -> Fitted:
        recipe = self.recipe
        resumed = self._restored()
        while self.place.passes < recipe.passes:
            self._one_pass(resumed)
            resumed = None
        if recipe.validate is not None and self.best:
            for name, module in recipe.modules.items():
                module.load_state_dict(self.best[name])
        elif recipe.validate is None:
            _put(self.means, recipe.parameters()[: len(self.means)])
        self.report(1.0)
        return self.fitted

    def _one_pass(self, resumed: Tensor | None) -> None:
        """Go through one pass, or through what was left of it.

        Args:
            resumed: torch's generator where the fit was left; None at the beginning of a pass.
        """
        recipe, place = self.recipe, self.place
        for module in recipe.modules.values():
            module.train()
        if resumed is None:
            self.begun = self._chance()
        batches = recipe.batches()
        for _ in range(place.batches):
            next(batches)
        if resumed is not None:
            torch.set_rng_state(resumed)
        for batch in batches:
            self._step(batch)
            self._keep()
        self.fitted.losses.append(place.total / max(place.examples, 1))
        if recipe.validate is not None:
            self._validated(recipe.validate)
        place.passes, place.batches, place.examples, place.total = place.passes + 1, 0, 0, 0.0
        self.begun = self._chance()
        self._tell()
        self._keep(at_the_end=place.passes == recipe.passes)

    def _step(self, batch: B) -> None:
        recipe, place = self.recipe, self.place
        for group in recipe.optimiser.param_groups:
            group["lr"] = recipe.rate(place.steps, self._share())
        recipe.optimiser.zero_grad()
        loss = recipe.loss(batch)
        torch.autograd.backward(loss)
        recipe.optimiser.step()
        self._average()
        count = recipe.size(batch)
        place.total += float(loss.detach()) * count
        place.examples += count
        place.steps += 1
        place.batches += 1
        if place.steps % _REPORT_EVERY == 0:
            self.report(self._share())

    def _share(self) -> float:
        """Return how much of the whole fit is done, 0 to 1."""
        within = self.place.examples / max(self.recipe.examples, 1)
        return min((self.place.passes + within) / self.recipe.passes, 1.0)

    @torch.no_grad()
    def _average(self) -> None:
        """Let the means follow the weights; the first steps count for as much as those after."""
        if self.recipe.averaged is None:
            return
        kept = min(self.recipe.averaged, (1 + self.place.steps) / (10 + self.place.steps))
        for mean, weight in zip(self.means, self.recipe.parameters(), strict=True):
            mean.lerp_(weight, 1.0 - kept)

    @contextmanager
    def _with_means(self) -> Iterator[None]:
        """Put the means in the place of the weights for a while."""
        parameters = self.recipe.parameters()[: len(self.means)]
        weights = [each.data for each in parameters]
        _put(self.means, parameters)
        try:
            yield
        finally:
            _put(weights, parameters)

    def _validated(self, validate: Callable[[], float]) -> None:
        finite = [each for each in self.fitted.validation if math.isfinite(each)]
        with self._with_means():
            loss = validate()
            if math.isfinite(loss) and loss < min(finite, default=math.inf):
                self.best = {
                    name: {key: value.clone() for key, value in module.state_dict().items()}
                    for name, module in self.recipe.modules.items()
                }
        self.fitted.validation.append(loss)

    def _tell(self) -> None:
        words = f"loss {self.fitted.losses[-1]:.4f}"
        if self.fitted.validation:
            words += f", held out {self.fitted.validation[-1]:.4f}"
        passes = f"pass {self.place.passes} of {self.recipe.passes}"
        self.session.on_metric(self.recipe.stage, f"{passes}: {words}")

    def _keep(self, *, at_the_end: bool = False) -> None:
        checkpoints = self.session.checkpoints
        if checkpoints is not None:
            checkpoints.offer(self.recipe.stage, self._state, now=at_the_end)

    def _chance(self) -> dict[str, Any]:
        """Return where the generators stand."""
        random = self.recipe.random
        state = "" if random is None else msgspec.json.encode(_plain(random)).decode()
        return {"torch": torch.get_rng_state(), "numpy": state}

    def _state(self) -> dict[str, Any]:
        return {
            "place": {name: getattr(self.place, name) for name in _Place.__slots__},
            "losses": self.fitted.losses,
            "validation": self.fitted.validation,
            "modules": {name: each.state_dict() for name, each in self.recipe.modules.items()},
            "best": self.best,
            "means": self.means,
            "optimiser": self.recipe.optimiser.state_dict(),
            "begun": self.begun,
            "torch": torch.get_rng_state(),
        }

    def _restored(self) -> Tensor | None:
        """Take a checkpoint over; return torch's generator if it lies within a pass."""
        checkpoints = self.session.checkpoints
        state = None if checkpoints is None else checkpoints.load(self.recipe.stage)
        if state is None:
            return None
        self.place = _Place(**state["place"])
        self.fitted = Fitted(state["losses"], state["validation"])
        self.best, self.means = state["best"], state["means"]
        for name, module in self.recipe.modules.items():
            module.load_state_dict(state["modules"][name])
        self.recipe.optimiser.load_state_dict(state["optimiser"])
        self.begun = state["begun"]
        torch.set_rng_state(self.begun["torch"])
        if self.recipe.random is not None:
            _restore(self.recipe.random, self.begun["numpy"])
        within: Tensor | None = state["torch"] if self.place.batches else None
        return within


def _put(tensors: list[Tensor], parameters: list[nn.Parameter]) -> None:
    for tensor, parameter in zip(tensors, parameters, strict=True):
        parameter.data = tensor


def _plain(random: np.random.Generator) -> dict[str, Any]:
    """Return a generator's state with its 128-bit numbers as text, which JSON can hold."""
    state = random.bit_generator.state
    inner = {name: str(value) for name, value in state["state"].items()}
    return {**state, "state": inner}


def _restore(random: np.random.Generator, state: str) -> None:
    found = msgspec.json.decode(state)
    found["state"] = {name: int(value) for name, value in found["state"].items()}
    random.bit_generator.state = found
