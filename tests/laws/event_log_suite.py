"""What every ``EventLog`` promises. An adapter's test inherits this and says how to make one."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbill.contracts import Batch, BatchKind, EventLog, PartitionWriter, StoredBatch
from playbill.core import Conflict, DependencyUnavailable

laws = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    # ``new_log`` makes a log of its own at each call, and subclasses share these very methods.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
    ],
)
batches = st.builds(
    Batch,
    kind=st.sampled_from(BatchKind),
    count=st.integers(0, 1_000),
    payload=st.binary(max_size=60),
)
appends = st.lists(
    st.tuples(st.lists(batches, max_size=4), st.integers(0, 1 << 42)), min_size=1, max_size=6
)
TOO_LARGE = Batch(BatchKind.TRACES, 1, b"x" * (1 << 20))


def small(content: bytes) -> Batch:
    return Batch(BatchKind.EVENTS, 1, content)


class EventLogSuite(ABC):
    """Laws over ``new_log``, which makes an empty log, and ``refusing``, which fills its disk."""

    @pytest.fixture
    @abstractmethod
    def new_log(self, tmp_path) -> Callable[[], EventLog]: ...

    @abstractmethod
    def refusing(self, log: EventLog, writer: PartitionWriter) -> AbstractContextManager[None]:
        """Let no append of ``TOO_LARGE`` succeed inside the block."""

    @pytest.fixture
    def log(self, new_log) -> EventLog:
        return new_log()

    def test_an_empty_log_has_no_partitions_and_nothing_in_any(self, log):
        assert log.partitions() == []
        assert log.last_offset("worker-1") == 0
        assert log.read("worker-1", 0, 10) == []
        assert log.partitions() == []

    def test_a_partition_exists_from_the_moment_it_is_opened(self, log):
        for name in ("worker-2", "epochs", "worker-1"):
            log.writer(name).close()
        assert log.partitions() == ["epochs", "worker-1", "worker-2"]
        assert log.last_offset("epochs") == 0
        assert log.read("epochs", 0, 10) == []

    @laws
    @given(appends=appends)
    def test_offsets_grow_by_one_from_one_and_content_comes_back_as_it_went(self, new_log, appends):
        log = new_log()
        writer = log.writer("worker-1")
        expected: list[StoredBatch] = []
        for group, at_ms in appends:
            for batch in group:
                place = len(expected) + 1
                expected.append(StoredBatch(place, at_ms, batch.kind, batch.count, batch.payload))
            assert writer.append(group, at_ms) == len(expected)
            assert log.last_offset("worker-1") == len(expected)
        writer.close()
        assert log.read("worker-1", 0, 100) == expected
        assert [type(stored.kind) for stored in expected] == [BatchKind] * len(expected)

    @laws
    @given(
        count=st.integers(0, 12),
        after=st.integers(0, 14),
        limit=st.integers(1, 14),
        up_to=st.none() | st.integers(0, 14),
    )
    def test_a_read_is_a_slice_of_the_whole(self, new_log, count, after, limit, up_to):
        log = new_log()
        writer = log.writer("worker-1")
        writer.append([small(bytes([n])) for n in range(count)], 5)
        writer.close()
        last = count if up_to is None else min(up_to, count)
        expected = [n for n in range(1, count + 1) if after < n <= last][:limit]
        found = log.read("worker-1", after, limit, up_to)
        assert [stored.offset for stored in found] == expected
        assert [stored.payload for stored in found] == [bytes([n - 1]) for n in expected]

    def test_appending_nothing_stores_nothing_and_returns_the_newest_offset(self, log):
        writer = log.writer("worker-1")
        assert writer.append([], 5) == 0
        writer.append([small(b"a"), small(b"b")], 5)
        assert writer.append([], 6) == 2
        assert log.last_offset("worker-1") == 2
        writer.close()

    def test_partitions_do_not_see_each_other(self, log):
        one, other = log.writer("worker-1"), log.writer("worker-2")
        one.append([small(b"a")], 5)
        assert other.append([small(b"b")], 6) == 1
        assert [stored.payload for stored in log.read("worker-1", 0, 9)] == [b"a"]
        assert [stored.payload for stored in log.read("worker-2", 0, 9)] == [b"b"]
        one.close()
        other.close()

    def test_a_partition_has_one_writer_at_a_time(self, log):
        writer = log.writer("worker-1")
        with pytest.raises(Conflict, match="'worker-1'"):
            log.writer("worker-1")
        writer.append([small(b"a")], 5)
        writer.close()
        again = log.writer("worker-1")
        assert again.append([small(b"b")], 6) == 2
        again.close()

    def test_a_refused_append_stores_none_of_its_batches(self, log):
        writer = log.writer("worker-1")
        writer.append([small(b"a")], 5)
        with (
            self.refusing(log, writer),
            pytest.raises(DependencyUnavailable, match="log") as caught,
        ):
            writer.append([small(b"b"), TOO_LARGE, small(b"c")], 6)
        assert caught.value.code == "log_unavailable"
        assert [stored.payload for stored in log.read("worker-1", 0, 9)] == [b"a"]
        assert log.last_offset("worker-1") == 1
        writer.close()

    def test_the_append_after_a_refused_one_leaves_no_gap(self, log):
        writer = log.writer("worker-1")
        writer.append([small(b"a")], 5)
        with self.refusing(log, writer), pytest.raises(DependencyUnavailable):
            writer.append([small(b"b"), TOO_LARGE], 6)
        assert writer.append([small(b"c"), TOO_LARGE], 7) == 3
        assert [stored.offset for stored in log.read("worker-1", 0, 9)] == [1, 2, 3]
        writer.close()
