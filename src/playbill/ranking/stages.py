"""What stages pass on: a request, candidates as columns, and a trace of both."""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.retrieval import Query

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def no_rows() -> Rows:
    """Return (0,) rows."""
    return np.empty(0, np.int64)


class RankingRequest(msgspec.Struct, frozen=True):
    """One request, as stages see it.

    ``excluded`` (E,) rows not to show, ascending; ``size`` places to fill; ``surface`` and
    ``query.region`` codes of the declared ones; ``told`` asks for a trace of every stage.
    ``showings_held``: how often a video was shown that is held back, 0 for none. ``shown`` (S,)
    rows of the pages before, oldest first, at least the last ones; ``places_before`` how many
    places those pages had.
    """

    query: Query
    surface: int
    size: int
    excluded: Rows
    at_ms: int
    user_epoch: int
    told: bool = False
    showings_held: int = 1
    shown: Rows = msgspec.field(default_factory=no_rows)
    places_before: int = 0


@dataclass(slots=True)
class Candidates:
    """C candidates as columns. Columns appear as stages fill them.

    ``rows`` (C,) item rows; ``sources`` (C,) source codes; ``features`` (N, F) as they were read,
    and ``places`` (C,) where each candidate stands among them, so that they need not be moved;
    ``light`` (C,) utility by the light scorer; ``utility`` (C,) what the slate is ordered by.
    """

    rows: Rows
    sources: npt.NDArray[np.uint8]
    features: Floats | None = None
    places: Rows | None = None
    light: Floats | None = None
    utility: Floats | None = None

    def keep(self, kept: npt.NDArray[np.bool_] | Rows) -> "Candidates":
        """Return the candidates a mask or an index array names, all columns alike."""
        return Candidates(
            self.rows[kept],
            self.sources[kept],
            self.features,
            None if self.places is None else self.places[kept],
            None if self.light is None else self.light[kept],
            None if self.utility is None else self.utility[kept],
        )


class StageRecord(NamedTuple):
    """What one stage did to one request."""

    name: str
    kind: str
    came: int
    left: int
    ms: float
    note: str = ""


@dataclass(slots=True)
class Trace:
    """What became of one request: reasons always; stages and candidates if it asked to be told."""

    stages: list[StageRecord] = field(default_factory=list)
    candidates: Candidates | None = None
    reasons: list[str] = field(default_factory=list)
