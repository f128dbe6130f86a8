"""Which partitions there are, and everything that one holds."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from playbill.contracts import EventLog, StoredBatch

EPOCHS_PARTITION = "epochs"
DEAD_PREFIX = "dead-"
CATALOGUE_PREFIX = "catalogue-"
"""Of partitions of videos, which no backlog of events holds up: decision 0039."""
TAKEDOWNS_PREFIX = "takedowns-"
"""Of partitions of take-downs, which only videos are folded before: decision 0039."""
_PAGE = 512


def fact_partitions(log: EventLog) -> list[str]:
    """Return the partitions that epochs are cut from, by name: no epochs, no dead letters."""
    return [
        name
        for name in log.partitions()
        if name != EPOCHS_PARTITION and not name.startswith(DEAD_PREFIX)
    ]


class Precedence(NamedTuple):
    """Partitions in the order in which an epoch takes them: videos, take-downs, events."""

    videos: list[str]
    takedowns: list[str]
    events: list[str]


def by_precedence(partitions: Iterable[str]) -> Precedence:
    """Return what overtakes what, each in the order it came in."""
    found = Precedence([], [], [])
    for name in partitions:
        if name.startswith(CATALOGUE_PREFIX):
            found.videos.append(name)
        elif name.startswith(TAKEDOWNS_PREFIX):
            found.takedowns.append(name)
        else:
            found.events.append(name)
    return found


def dead_partitions(log: EventLog) -> list[str]:
    """Return the partitions of refused events, by name."""
    return [name for name in log.partitions() if name.startswith(DEAD_PREFIX)]


def stored_batches(
    log: EventLog, partition: str, after: int = 0, up_to: int | None = None
) -> Iterator[StoredBatch]:
    """Yield what a partition holds past an offset and not past another, in order, page by page."""
    while up_to is None or after < up_to:
        page = log.read(partition, after, _PAGE, up_to)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].offset
