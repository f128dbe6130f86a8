"""Interests as they are trained. Only training imports this."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from playbill.models.interests import DEEDS, INTERESTS, Interests
from playbill.models.networks import RankerNetwork

_SPREAD = 0.05


class InterestNetwork(nn.Module):
    """Videos and deeds in the space of interests.

    Args:
        places: (I,) each video's place + 1 among those that have coordinates, 0 for none.
    """

    def __init__(self, places: npt.NDArray[np.int64]) -> None:
        super().__init__()
        self.places = places
        self.videos = nn.Embedding(int(places.max(initial=0)) + 1, INTERESTS, padding_idx=0)
        self.deeds = nn.Embedding(DEEDS, INTERESTS)
        for table in (self.videos, self.deeds):
            nn.init.normal_(table.weight, std=_SPREAD)
        with torch.no_grad():
            self.videos.weight[0].zero_()

    def forward(self, candidates: Tensor, recent: Tensor, actions: Tensor) -> Tensor:
        """Return (N, 16) interests, and interests times the candidate's coordinates.

        Args:
            candidates: (N,) rows.
            recent: (N, 32) rows of what each viewer did lately.
            actions: (N, 32) bits, 0 where there is nothing.
        """
        places = torch.from_numpy(self.places)
        there = (actions > 0).unsqueeze(-1)
        known = (self.videos(places[recent]) + self.deeds(actions)) * there
        interests = known.sum(dim=1) / there.sum(dim=1).clamp(min=1)
        mine = self.videos(places[candidates])
        return torch.cat([interests, interests * mine], dim=1)

    @torch.no_grad()
    def rounded(self) -> Interests:
        """Return what is shipped, and go on with exactly that."""
        found = Interests.of(self.videos.weight.numpy(), self.deeds.weight.numpy())
        self.videos.weight.copy_(torch.from_numpy(found.codes.astype(np.float32) * found.step))
        return Interests(found.codes[self.places], found.step, found.deeds)


class InterestedRanker(nn.Module):
    """A ranker that reads interests beside the features; without, the features alone."""

    def __init__(self, ranker: RankerNetwork, interests: InterestNetwork | None) -> None:
        super().__init__()
        self.ranker, self.interests = ranker, interests

    def forward(self, dense: Tensor, categories: Tensor, *history: Tensor) -> Tensor:
        """Return (N, 4) logits of (N, F) raw features, (N, 3) codes and what interests read."""
        if self.interests is not None:
            dense = torch.cat([dense, self.interests(*history)], dim=1)
        logits: Tensor = self.ranker(dense, categories)
        return logits
