"""Feature assembly under the sequence lock: between two epochs, or said to be otherwise."""

import msgspec

from playbill.core import Clock
from playbill.features import Assembler
from playbill.ranking.stages import Candidates, Floats, RankingRequest
from playbill.retrieval import SharedView, view_of

_PATIENCE_S = 0.003


class Hydrated(msgspec.Struct, frozen=True):
    """(C, F) features and what they were read from.

    ``settled`` is False when the item state moved, or stood still half-way, during the reading;
    such a request is served and not used as evidence of parity.
    """

    features: Floats
    at_ms: int
    item_epoch: int
    settled: bool


class Hydrator:
    """Read features for all candidates of a request, from one epoch if there is any way to."""

    def __init__(self, shared: SharedView, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._assembler = Assembler()

    def fill(self, request: RankingRequest, candidates: Candidates) -> Hydrated:
        """Return the features; retries for up to 3 ms, then settles for what there is."""
        until_s = self._clock.elapsed_s() + _PATIENCE_S
        while True:
            before = self._shared.sequence()
            view = view_of(self._shared)
            behind = view.epoch < request.user_epoch
            late = self._clock.elapsed_s() >= until_s
            if (before & 1 or behind) and not late:
                continue
            last_ms = int(request.query.user["last_at_ms"][0])
            at_ms = max(request.at_ms, view.at_ms, last_ms)
            features = self._assembler.read(view.tables, candidates.rows, request.query.user, at_ms)
            unmoved = self._shared.sequence() == before and not before & 1
            if unmoved or late:
                return Hydrated(features, at_ms, view.epoch, unmoved and not behind)
