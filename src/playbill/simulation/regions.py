"""Where viewers live, what they speak and when they are awake."""

from dataclasses import dataclass

import numpy as np

from playbill.simulation.columns import Floats


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the world with one clock."""

    name: str
    """Declare it in the server's settings."""
    utc_offset_h: float
    share: float
    """Of all viewers."""
    languages: tuple[tuple[str, float], ...]
    """BCP 47 tags and their shares, which sum to 1."""


REGIONS = (
    Region("amer-north", -6.0, 0.22, (("en", 0.80), ("es", 0.16), ("fr", 0.04))),
    Region("amer-south", -3.0, 0.16, (("pt", 0.58), ("es", 0.42))),
    Region("emea-west", 1.0, 0.20, (("en", 0.36), ("de", 0.26), ("fr", 0.24), ("es", 0.14))),
    Region("emea-east", 3.0, 0.12, (("tr", 0.40), ("ar", 0.35), ("pl", 0.25))),
    Region("apac-south", 5.5, 0.18, (("hi", 0.52), ("en", 0.30), ("id", 0.18))),
    Region("apac-east", 9.0, 0.12, (("ja", 0.60), ("ko", 0.40))),
)

REGION_NAMES: tuple[str, ...] = tuple(region.name for region in REGIONS)
"""What the server's ``regions`` setting must hold."""

LANGUAGES: tuple[str, ...] = tuple(
    sorted({tag for region in REGIONS for tag, _ in region.languages})
)
"""Every tag; its place here is its code in the columns."""

ENGLISH = LANGUAGES.index("en")

REGION_SHARES: Floats = np.array([region.share for region in REGIONS])
_OFFSETS_H: Floats = np.array([region.utc_offset_h for region in REGIONS])


def language_shares() -> Floats:
    """Return (R, L) the share of each language in each region; rows sum to 1."""
    shares = np.zeros((len(REGIONS), len(LANGUAGES)))
    for row, region in enumerate(REGIONS):
        for tag, share in region.languages:
            shares[row, LANGUAGES.index(tag)] = share
    return shares


def awake(utc_h: float) -> Floats:
    """Return (R,) how much of each region watches at an hour of the day, in (0, 1.6).

    Evenings at 20:30 local time are the height of the day, lunch at 12:30 a lower one; the
    quietest hour still has a tenth.
    """
    local_h = utc_h + _OFFSETS_H
    evening = np.exp(3.0 * (np.cos((local_h - 20.5) * (np.pi / 12.0)) - 1.0))
    lunch = np.exp(4.0 * (np.cos((local_h - 12.5) * (np.pi / 12.0)) - 1.0))
    awake_share: Floats = 0.1 + evening + 0.45 * lunch
    return awake_share
