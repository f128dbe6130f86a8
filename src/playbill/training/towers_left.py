"""Towers that a training left, put into those of the next, whoever trains them.

Source: docs/decisions/0043-a-training-may-begin-where-the-last-one-ended.md
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.core import InvalidInput
from playbill.models.networks import ItemNetwork
from playbill.models.user_network import UserNetwork
from playbill.training.tower_data import ItemPlaces

Ints = npt.NDArray[np.int64]
State = dict[str, Tensor]

WARM_SHARE = 3
"""Towers that begin with others take one pass for each so many."""
FIXED_TABLES = "languages", "durations"
"""Tables of the item network that have the same rows in every training."""


@dataclass(frozen=True, slots=True)
class TowersLeft:
    """States of both towers, and whose rows the item tower's tables hold.

    ``user`` and ``item`` by the names of their parameters; ``authors`` and ``items`` rows, and
    ``words`` codes, in the order of their places.
    """

    user: State
    item: State
    authors: Ints
    words: Ints
    items: Ints

    @classmethod
    def of(cls, user: UserNetwork, item: State, places: ItemPlaces) -> "TowersLeft":
        """Return trained towers as they are, nothing copied."""
        rows = places.author_rows, places.word_codes, places.item_rows
        return cls(user.state_dict(), item, *(each.astype(np.int64) for each in rows))

    def into(self, user: UserNetwork, item: ItemNetwork, places: ItemPlaces) -> None:
        """Begin towers with these: what they do not know stays as new.

        Raises:
            InvalidInput: they have other layers.
        """
        require_same("item tower", fixed(item, *FIXED_TABLES), self.item)
        user.load_state_dict(self.user_state())
        with torch.no_grad():
            for name, rows, values in self.known(places, len(item.topics.weight)):
                getattr(item, name).weight[rows] = values

    def user_state(self) -> State:
        """Return the state of the user tower.

        Raises:
            InvalidInput: it has other layers than those of this version.
        """
        require_same("user tower", UserNetwork().state_dict(), self.user)
        return self.user

    def known(self, places: ItemPlaces, topics: int) -> Iterator[tuple[str, Ints, Tensor]]:
        """Yield tables of the item network, (n,) rows of a new one, and (n, 64) what they were.

        Args:
            places: of the new one.
            topics: rows of its table of topics.
        """
        for name in FIXED_TABLES:
            values = self._table(name)
            yield name, np.arange(len(values)), values
        values = self._table("topics")[:topics]
        yield "topics", np.arange(len(values)), values
        for name, rows, theirs in (
            ("authors", places.author_rows, self.authors),
            ("words", places.word_codes, self.words),
            ("residuals", places.item_rows, self.items),
        ):
            _, here, there = np.intersect1d(rows, theirs, return_indices=True)
            yield name, here + 1, self._table(name)[there + 1]

    def _table(self, name: str) -> Tensor:
        return self.item[f"{name}.weight"]


def fixed(module: nn.Module, *names: str) -> State:
    """Return tables that have the same rows in every training."""
    return {f"{name}.weight": getattr(module, name).weight for name in names}


def require_same(what: str, ours: State, theirs: State) -> None:
    """Return if all of ours are there, of the same shapes.

    Raises:
        InvalidInput: one is not.
    """
    for name, tensor in ours.items():
        if name not in theirs or theirs[name].shape != tensor.shape:
            raise InvalidInput(
                f"the {what} to begin with has another shape at {name} than these settings ask for",
                hint="train without --warm, or with the settings of then",
            )
