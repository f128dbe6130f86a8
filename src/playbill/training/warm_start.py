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
from playbill.training.positions import PositionBias
from playbill.training.ranker_training import Start, TrainedRanker
from playbill.training.tower_training import TrainedTowers
from playbill.training.towers_left import TowersLeft, fixed, require_same

Ints = npt.NDArray[np.int64]
State = dict[str, Tensor]

_OWN = frozenset(("embeddings.weight", "sizes", "offsets", "shifts"))
"""Of a ranker's state: what has a row for each code, and what calibration makes anew."""
_ARRAYS = "authors", "words", "items"


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
    towers: TowersLeft

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
            places = state.pop("interest_places").numpy()
            arrays = {name: state.pop(name).numpy() for name in _ARRAYS}
            towers = TowersLeft(state.pop("user"), state.pop("item"), **arrays)
            until_ms = int(manifest_data["train_until_ms"])
            longest_ms = 1_000 * max(manifest_data["windows_s"].values())
            known_ms = int(manifest_data["ended_at_ms"]) - longest_ms
            return cls(
                digest, until_ms, known_ms, warm, **state, interest_places=places, towers=towers
            )
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

    def into_ranker(self, network: InterestedRanker, positions: PositionBias) -> None:
        """Begin a ranker with this one; what it does not know stays as new.

        Raises:
            InvalidInput: it has other layers.
        """
        ranker = network.ranker
        ours = ranker.state_dict()
        require_same(
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
                require_same("space of interests", fixed(interests, "deeds"), self.interests)
                interests.deeds.weight.copy_(self.interests["deeds.weight"])
                places = interests.places
                rows = np.arange(min(len(places), len(self.interest_places)))
                both = rows[(places[rows] > 0) & (self.interest_places[rows] > 0)]
                interests.videos.weight[places[both]] = self.interests["videos.weight"][
                    self.interest_places[both]
                ]


def save_left(path: Path, ranker: TrainedRanker, towers: TrainedTowers) -> None:
    """Write what the next training may begin with.

    Raises:
        DependencyUnavailable: the file cannot be written.
    """
    interests, kept = ranker.network.interests, towers.left
    assert interests is not None
    assert kept is not None
    left = {
        "ranker": _state(ranker.network.ranker),
        "positions": _state(ranker.positions),
        "interests": _state(interests),
        "interest_places": torch.from_numpy(interests.places.astype(np.int64)),
        "user": kept.user,
        "item": kept.item,
        **{name: torch.from_numpy(getattr(kept, name).astype(np.int64)) for name in _ARRAYS},
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
