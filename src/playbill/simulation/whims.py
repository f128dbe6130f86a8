"""The part of a liking that belongs to one viewer and one video and follows from nothing."""

import numpy as np

from playbill.simulation.columns import Floats, Ints

_MASK64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_LANES = 4
_LANE_MAX = 0xFFFF
_LANE_SD = (_LANE_MAX + 1) / 12.0**0.5


def whims(seed: int, user: int, videos: Ints) -> Floats:
    """Return (C,) about standard normal numbers, the same whenever a pair meets again.

    A hash of the triple, its four 16-bit lanes summed (Irwin-Hall), because a table of all pairs
    would not fit. Source: splitmix64, Steele, Lea and Flood 2014.
    """
    salt = ((seed * 0xD1B54A32D192ED03) ^ (user * 0x8CB92BA72F3D8DD7)) & _MASK64
    bits = (videos.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN) + np.full(
        1, salt, dtype=np.uint64
    )
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    total = np.zeros(videos.shape)
    for lane in range(_LANES):
        total += (bits >> np.uint64(16 * lane)) & np.uint64(_LANE_MAX)
    mean = _LANES * _LANE_MAX / 2.0
    scaled: Floats = (total - mean) / (_LANE_SD * _LANES**0.5)
    return scaled
