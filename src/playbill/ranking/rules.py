"""Rules: who must not be shown what. All of them are asked about all candidates at once."""

import numpy as np
import numpy.typing as npt

from playbill.ranking.rules_kernel import (
    AGE_RATING,
    DISLIKED,
    EXCLUDED,
    HIDDEN,
    LATER,
    REGION,
    SEEN,
    broken_by,
    fill_permitted,
)
from playbill.ranking.stages import RankingRequest, Rows
from playbill.retrieval import ItemView, region_bit

Bits = npt.NDArray[np.uint8]

RULES: dict[str, int] = {
    "visible": HIDDEN,
    "region": REGION,
    "age_rating": AGE_RATING,
    "exclude": EXCLUDED,
    "seen": SEEN,
    "disliked": DISLIKED,
    "posted_later": LATER,
}
"""Every rule's name in traces and the bit of those who break it, in the order of traces."""

VISIBILITY = HIDDEN | REGION | AGE_RATING
"""What no tier may break; also asked last, about the finished slate."""

MUST_NOT = VISIBILITY | EXCLUDED
"""What brings nothing back, however little is left."""

RETURNS = SEEN | DISLIKED
"""What comes back only where the catalogue is exhausted."""


def broken_rules(request: RankingRequest, rows: Rows, view: ItemView) -> Bits:
    """Return (C,) bits of the rules that each of (C,) candidates breaks, 0 for none."""
    bits = np.empty(len(rows), np.uint8)
    broken_by(
        rows,
        view.tables.items,
        request.query.user,
        region_bit(request.query.region),
        request.excluded,
        request.query.below,
        request.showings_held,
        bits,
    )
    return bits


def permitted(broken: Bits, size: int) -> Rows:
    """Return the places of candidates that may be shown, in their order.

    Those that break no rule; where they leave a page of ``size`` short, behind them those posted
    since the first page, and then those that the viewer has seen; and where there is nothing else,
    those whose authors the viewer has hidden. What breaks a rule of ``MUST_NOT`` stays away.
    """
    kept = np.empty(len(broken), np.int64)
    return kept[: fill_permitted(broken, size, MUST_NOT, kept)]
