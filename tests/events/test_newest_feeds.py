"""The newest feeds of a log: few, of different viewers, and cheap however long the log is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import REQUEST_RECORD, SHOWN_RECORD, Batch, BatchKind
from playbill.core import BrokenContract
from playbill.events import MemoryEventLog, encode_impressions, newest_feeds


def head(viewer: int, at_ms: int, *, personalised: bool = True):
    found = np.zeros(1, REQUEST_RECORD)
    found["user"] = (viewer, 7)
    found["at_ms"], found["personalised"] = at_ms, personalised
    return found


def served(*heads) -> Batch:
    return encode_impressions([(one, np.empty(0, SHOWN_RECORD)) for one in heads])


class Watched(MemoryEventLog):
    """A log that counts the batches it hands out."""

    read_batches = 0

    def read(self, partition, after, limit, up_to=None):
        found = super().read(partition, after, limit, up_to)
        self.read_batches += len(found)
        return found


def test_an_empty_log_has_none():
    log = MemoryEventLog()
    assert len(newest_feeds(log, 5)) == 0
    log.writer("serve-2")
    assert len(newest_feeds(log, 5)) == 0


@law(60)
@given(
    feeds=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 50), st.booleans()), max_size=20),
    count=st.integers(1, 8),
)
def test_each_viewer_once_newest_first_as_many_as_wanted(feeds, count):
    log = MemoryEventLog()
    writer = log.writer("serve-2")
    for viewer, at_ms, personalised in feeds:
        writer.append([served(head(viewer, at_ms, personalised=personalised))], at_ms)
    newest: dict[int, int] = {}
    for viewer, at_ms, personalised in feeds:
        if personalised:
            newest[viewer] = max(newest.get(viewer, 0), at_ms)
    found = newest_feeds(log, count)
    assert found["at_ms"].tolist() == sorted(newest.values(), reverse=True)[:count]
    assert {newest[int(viewer)] for viewer in found["user"][:, 0]} == set(found["at_ms"].tolist())


def test_what_it_costs_does_not_grow_with_the_log():
    log = Watched()
    for name in range(40):
        writer = log.writer(f"serve-{name}")
        for at_ms in range(100):
            writer.append([served(head(1, at_ms))], at_ms)
    newest_feeds(log, 5)
    assert log.read_batches <= 16 * 32


def test_the_partition_that_is_named_comes_first():
    log = MemoryEventLog()
    for place in (2, 3):
        log.writer(f"serve-{place}").append([served(head(place, place))], place)
    assert newest_feeds(log, 1, "serve-2")["at_ms"].tolist() == [2]
    assert newest_feeds(log, 1, "serve-3")["at_ms"].tolist() == [3]
    assert newest_feeds(log, 1, "no such partition")["at_ms"].tolist() == [2]


def test_other_batches_are_passed_over_and_a_torn_one_is_our_bug():
    log = MemoryEventLog()
    writer = log.writer("serve-2")
    writer.append([Batch(BatchKind.EVENTS, 1, b"anything")], 1)
    assert len(newest_feeds(log, 5)) == 0
    writer.append([Batch(BatchKind.IMPRESSIONS, 1, b"torn")], 2)
    with pytest.raises(BrokenContract, match="torn"):
        newest_feeds(log, 5)
