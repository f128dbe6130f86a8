"""Made-up log records: a catalogue and batches of events with a realistic mix."""

import numpy as np
import numpy.typing as npt

from playbill.contracts import EVENT_RECORD, StoredVideo
from playbill.core import key64

NOW_MS = 1_790_000_000_000
KINDS = np.array([1, 1, 1, 1, 1, 1, 2, 3, 3, 4], np.uint8)
"""Six impressions, a click, two watches and a like in ten events."""


def catalogue(count: int) -> list[StoredVideo]:
    """Return ``count`` videos by a tenth as many authors on 40 topics."""
    return [
        StoredVideo(
            key=key64(f"v{number}"),
            video_id=f"v{number}",
            author_id=f"a{number % max(count // 10, 1)}",
            title="",
            topics=[f"t{number % 40}"],
            language="en",
            duration_ms=30_000,
            regions=[],
            age_rating=0,
            created_at_ms=NOW_MS - 10_000_000,
            posted_at_ms=NOW_MS,
        )
        for number in range(count)
    ]


def events(
    count: int, viewers: int, keys: npt.NDArray[np.uint64], at_ms: int, seed: int
) -> npt.NDArray[np.void]:
    """Return (count,) ``EVENT_RECORD`` of the second before ``at_ms``."""
    random = np.random.default_rng(seed)
    records = np.zeros(count, EVENT_RECORD)
    records["event"] = random.integers(1, 2**63, (count, 2))
    records["user"][:, 0] = random.integers(1, viewers + 1, count)
    records["user"][:, 1] = 1
    records["video"] = keys[random.integers(0, len(keys), count)]
    records["at_ms"] = at_ms - random.integers(0, 1_000, count)
    records["received_at_ms"] = at_ms
    records["kind"] = random.choice(KINDS, count)
    records["watch_ms"] = random.integers(0, 60_000, count)
    records["region"] = 1
    return records
