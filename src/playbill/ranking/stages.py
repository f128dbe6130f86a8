"""The kinds of stage. Each answers one question about all candidates; the runner moves them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from playbill.retrieval import ItemView, Query

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RankingRequest:
    """One request, as stages see it.

    ``excluded`` (E,) rows not to show; ``size`` places to fill; ``surface`` and ``query.region``
    codes of the declared ones.
    """

    query: Query
    surface: int
    size: int
    excluded: Rows
    at_ms: int
    user_epoch: int


@dataclass(slots=True)
class Candidates:
    """C candidates as columns. Columns appear as stages fill them.

    ``rows`` (C,) item rows; ``sources`` (C,) source codes; ``features`` (C, F); ``light`` (C,)
    utility by the light scorer; ``utility`` (C,) what the slate is ordered by.
    """

    rows: Rows
    sources: npt.NDArray[np.uint8]
    features: Floats | None = None
    light: Floats | None = None
    utility: Floats | None = None

    def keep(self, kept: npt.NDArray[np.bool_] | Rows) -> "Candidates":
        """Return the candidates a mask or an index array names, all columns alike."""
        return Candidates(
            self.rows[kept],
            self.sources[kept],
            None if self.features is None else self.features[kept],
            None if self.light is None else self.light[kept],
            None if self.utility is None else self.utility[kept],
        )


class Filter(Protocol):
    """A reason not to show a video."""

    @property
    def name(self) -> str:
        """Return the name that traces carry."""
        ...

    def drop(self, request: RankingRequest, candidates: Candidates, view: ItemView) -> Mask:
        """Return (C,) bool, True where a candidate must not be shown."""
        ...


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one stage did to one request."""

    name: str
    kind: str
    came: int
    left: int
    ms: float
    note: str = ""


@dataclass(slots=True)
class Trace:
    """What every stage did to one request, in order, and who was a candidate after filtering."""

    stages: list[StageRecord] = field(default_factory=list)
    candidates: Candidates | None = None
    reasons: list[str] = field(default_factory=list)
