"""The newest feeds of the log, from the ends of its partitions."""

import numpy as np
import numpy.typing as npt

from playbill.contracts import REQUEST_RECORD, BatchKind, EventLog
from playbill.events.batches import decode_impressions
from playbill.events.partitions import by_precedence, fact_partitions

_PARTITIONS = 16
_BATCHES = 32

Records = npt.NDArray[np.void]


def newest_feeds(log: EventLog, count: int, first: str = "") -> Records:
    """Return (R,) ``REQUEST_RECORD`` of at most ``count`` personal feeds of different viewers.

    Newest first, of those that stand in the last batches of a few partitions; what that costs does
    not grow with the log.

    Args:
        log: any.
        count: how many at most.
        first: a partition to begin with.

    Raises:
        DependencyUnavailable: the log cannot be read.
        BrokenContract: a batch is torn.
    """
    names = by_precedence(fact_partitions(log)).events
    names.sort(key=lambda name: (name != first, name))
    heads = np.empty(0, REQUEST_RECORD)
    for name in names[:_PARTITIONS]:
        heads = np.concatenate([heads, *_ends(log, name)])
        heads = _of_different_viewers(heads[heads["personalised"] == 1])
        if len(heads) >= count:
            break
    return heads[:count]


def _ends(log: EventLog, partition: str) -> list[Records]:
    """Return the heads of the feeds in a partition's last batches."""
    after = max(0, log.last_offset(partition) - _BATCHES)
    return [
        decode_impressions(batch.payload).requests
        for batch in log.read(partition, after, _BATCHES)
        if batch.kind is BatchKind.IMPRESSIONS
    ]


def _of_different_viewers(heads: Records) -> Records:
    """Return the newest of each viewer's (R,) heads, newest first."""
    newest_first = heads[np.argsort(-heads["at_ms"], kind="stable")]
    _, places = np.unique(newest_first["user"], axis=0, return_index=True)
    return newest_first[np.sort(places)]
