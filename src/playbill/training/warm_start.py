"""Beginning where another training ended: its networks, put into those of the next.

Source: docs/decisions/0043-a-training-may-begin-where-the-last-one-ended.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.core import DependencyUnavailable, InvalidInput, NotFound
from playbill.core.durable import replace_file
from playbill.models.interest_network import InterestedRanker
from playbill.models.networks import ItemNetwork
from playbill.models.user_network import UserNetwork
from playbill.training.positions import PositionBias
from playbill.training.ranker_training import Start, TrainedRanker
from playbill.training.tower_data import ItemPlaces
from playbill.training.tower_training import Begin, TrainedTowers

Ints = npt.NDArray[np.int64]
State = dict[str, Tensor]

_OWN = frozenset(("embeddings.weight", "sizes", "offsets", "shifts"))
"""Of a ranker's state: what has a row for each code, and what calibration makes anew."""
_ARRAYS = "interest_places", "authors", "words", "items"


@dataclass(frozen=True, slots=True)
class Left:
    """What a training left for another to begin with.

    ``digest`` of its bundle; ``train_until_ms`` where the rows ended that it learned from, and
    ``known_until_ms`` those of which it knew every label; ``warm_in_a_row`` how many trainings
    before it had begun like that. ``ranker``, ``positions``, ``interests``, ``user`` and ``item``
    are states of networks; ``interest_places`` (I,) places of rows in the space of interests,
    ``authors`` and ``items`` rows, and ``words`` codes, that have a place in the item network's
    tables. Towers of a crew are not left.
    """

    digest: str
    train_until_ms: int
    known_until_ms: int
    warm_in_a_row: int
    ranker: State
    positions: State
    interests: State
    interest_places: Ints
    user: State | None
    item: State | None
    authors: Ints
    words: Ints
    items: Ints

    @classmethod
    def load(cls, path: Path, digest: str, manifest_data: dict[str, Any], warm: int) -> "Left":
        """Return what the training of a bundle left.

        Raises:
            NotFound: it left nothing, or that was cleared away.
            InvalidInput: the file is damaged.
            DependencyUnavailable: it cannot be read.
        """
        try:
            # Tensors and plain values, read as such: nothing in the file is executed.
            state: dict[str, Any] = torch.load(path, weights_only=True)
            arrays = {name: state.pop(name).numpy() for name in _ARRAYS}
            until_ms = int(manifest_data["train_until_ms"])
            longest_ms = 1_000 * max(manifest_data["windows_s"].values())
            known_ms = int(manifest_data["ended_at_ms"]) - longest_ms
            return cls(digest, until_ms, known_ms, warm, **state, **arrays)
        except FileNotFoundError:
            raise NotFound(
                f"nothing is kept of the training of {digest[:19]}… to begin with",
                hint="train without --warm",
            ) from None
        except OSError as error:
            raise DependencyUnavailable(
                f"{path} cannot be read: {error}", hint="let this user read it"
            ) from error
        except Exception as error:
            raise InvalidInput(
                f"{path} cannot be read: {type(error).__name__}", hint="train without --warm"
            ) from error

    def start(self) -> Start:
        """Return what a ranker begins with."""
        return Start(self.into_ranker, self.train_until_ms, self.known_until_ms)

    def towers(self) -> Begin | None:
        """Return what towers begin with, None where there is nothing: a crew made them."""
        return None if self.user is None or self.item is None else self.into_towers

    def into_ranker(self, network: InterestedRanker, positions: PositionBias) -> None:
        """Begin a ranker with this one; what it does not know stays as new.

        Raises:
            InvalidInput: it has other layers.
        """
        ranker = network.ranker
        ours = ranker.state_dict()
        _require_same(
            "ranker", {name: t for name, t in ours.items() if name not in _OWN}, self.ranker
        )
        sizes, offsets = (self.ranker[name].numpy() for name in ("sizes", "offsets"))
        with torch.no_grad():
            for name in ours.keys() - _OWN:
                ours[name].copy_(self.ranker[name])
            for column, known in enumerate(sizes):
                count = min(int(known), int(ranker.sizes[column]))
                at, was = int(ranker.offsets[column]), int(offsets[column])
                table = self.ranker["embeddings.weight"]
                ranker.embeddings.weight[at : at + count] = table[was : was + count]
            steps = self.positions["steps"]
            surfaces = min(len(steps), len(positions.steps))
            positions.steps[:surfaces] = steps[:surfaces]
            if network.interests is not None:
                interests = network.interests
                _require_same("space of interests", _fixed(interests, "deeds"), self.interests)
                interests.deeds.weight.copy_(self.interests["deeds.weight"])
                places = interests.places
                rows = np.arange(min(len(places), len(self.interest_places)))
                both = rows[(places[rows] > 0) & (self.interest_places[rows] > 0)]
                interests.videos.weight[places[both]] = self.interests["videos.weight"][
                    self.interest_places[both]
                ]

    def into_towers(self, user: UserNetwork, item: ItemNetwork, places: ItemPlaces) -> None:
        """Begin towers with these: what they do not know stays as new.

        Raises:
            InvalidInput: they have other layers.
        """
        assert self.user is not None
        assert self.item is not None
        _require_same("user tower", user.state_dict(), self.user)
        _require_same("item tower", _fixed(item, "languages", "durations"), self.item)
        user.load_state_dict(self.user)
        with torch.no_grad():
            for name in ("languages", "durations"):
                getattr(item, name).weight.copy_(self.item[f"{name}.weight"])
            topics = self.item["topics.weight"]
            count = min(len(topics), len(item.topics.weight))
            item.topics.weight[:count] = topics[:count]
            for table, rows, known, name in (
                (item.authors, places.author_rows, self.authors, "authors.weight"),
                (item.words, places.word_codes, self.words, "words.weight"),
                (item.residuals, places.item_rows, self.items, "residuals.weight"),
            ):
                _, here, there = np.intersect1d(rows, known, return_indices=True)
                table.weight[here + 1] = self.item[name][there + 1]


def _fixed(module: nn.Module, *names: str) -> State:
    """Return tables that have the same rows in every training."""
    return {f"{name}.weight": getattr(module, name).weight for name in names}


def _require_same(what: str, ours: State, theirs: State) -> None:
    for name, tensor in ours.items():
        if name not in theirs or theirs[name].shape != tensor.shape:
            raise InvalidInput(
                f"the {what} to begin with has another shape at {name} than these settings ask for",
                hint="train without --warm, or with the settings of then",
            )


def save_left(path: Path, ranker: TrainedRanker, towers: TrainedTowers) -> None:
    """Write what the next training may begin with.

    Raises:
        DependencyUnavailable: the file cannot be written.
    """
    interests, places = ranker.network.interests, towers.places
    assert interests is not None
    left = {
        "ranker": _state(ranker.network.ranker),
        "positions": _state(ranker.positions),
        "interests": _state(interests),
        "interest_places": torch.from_numpy(interests.places.astype(np.int64)),
        "user": None if towers.item is None else _state(towers.user),
        "item": None if towers.item is None else _state(towers.item),
        "authors": _rows(None if places is None else places.author_rows),
        "words": _rows(None if places is None else places.word_codes),
        "items": _rows(None if places is None else places.item_rows),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda file: torch.save(left, file))
    except (OSError, RuntimeError) as error:
        raise DependencyUnavailable(
            f"{path} cannot be written: {error}",
            hint="free space or make the folder writable; nothing was changed",
        ) from error


def _state(module: nn.Module) -> State:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def _rows(rows: npt.NDArray[Any] | None) -> Tensor:
    return torch.from_numpy(np.empty(0, np.int64) if rows is None else rows.astype(np.int64))
