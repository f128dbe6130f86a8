import asyncio
import threading

import pytest
from event_worlds import NOW_MS, GatedWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import Batch, BatchKind
from playbill.core import BrokenContract, DependencyUnavailable, FixedClock, Overloaded
from playbill.events import GroupCommit, MemoryEventLog

PATIENCE_S = 30.0


def batch(records=1, content=b""):
    return Batch(BatchKind.EVENTS, records, content)


@pytest.fixture
def writer():
    return GatedWriter()


@pytest.fixture
def clock():
    return FixedClock(NOW_MS)


@pytest.fixture
def commit(writer, clock):
    group = GroupCommit(writer, clock, max_records=10)
    yield group
    writer.let_through(1_000)
    group.close()


def busy(commit, writer, records=1):
    """Submit one batch and wait until it is being written, so that all others must queue."""
    first = commit.submit([batch(records)])
    assert writer.entered.acquire(timeout=PATIENCE_S)
    return first


def test_whatever_waits_for_the_disk_shares_one_commit(commit, writer):
    first = busy(commit, writer)
    others = [commit.submit([batch(content=bytes([n]))]) for n in range(5)]
    assert not first.done()
    writer.let_through(2)
    assert [future.result(PATIENCE_S) for future in (first, *others)] == [1, *[6] * 5]
    assert [len(group) for group, _ in writer.appended] == [1, 5]
    assert [part.payload for part in writer.appended[1][0]] == [bytes([n]) for n in range(5)]


def test_nothing_is_durable_before_the_disk_said_so(commit, writer):
    future = busy(commit, writer)
    assert not future.done()
    writer.let_through()
    assert future.result(PATIENCE_S) == 1


def test_one_commit_holds_at_most_256_callers(writer, clock):
    commit = GroupCommit(writer, clock, max_records=10_000)
    first = busy(commit, writer)
    others = [commit.submit([batch()]) for _ in range(300)]
    writer.let_through(1_000)
    assert [future.result(PATIENCE_S) for future in (first, *others)]
    assert [len(group) for group, _ in writer.appended] == [1, 256, 44]
    commit.close()


def test_a_commit_carries_the_instant_at_which_it_was_written(commit, writer, clock):
    writer.let_through(2)
    commit.submit([batch()]).result(PATIENCE_S)
    clock.advance(1_500)
    commit.submit([batch()]).result(PATIENCE_S)
    assert [at_ms for _, at_ms in writer.appended] == [NOW_MS, NOW_MS + 1_500]


def test_a_full_line_turns_callers_away_and_what_was_turned_away_is_not_written(commit, writer):
    first = busy(commit, writer, records=4)
    second = commit.submit([batch(6)])
    with pytest.raises(Overloaded, match="10 records wait for the disk; at most 10 may") as caught:
        commit.submit([batch(1)])
    assert caught.value.retry_after_s == 1
    assert "Retry-After" in caught.value.hint
    writer.let_through(2)
    assert (first.result(PATIENCE_S), second.result(PATIENCE_S)) == (1, 2)
    assert sum(part.count for group, _ in writer.appended for part in group) == 10


def test_whoever_is_told_that_it_is_durable_finds_room_at_once(commit, writer):
    first = busy(commit, writer, records=10)
    next_one = []
    first.add_done_callback(lambda _: next_one.append(commit.submit([batch(10)])))
    writer.let_through(2)
    first.result(PATIENCE_S)
    assert writer.entered.acquire(timeout=PATIENCE_S)
    assert next_one[0].result(PATIENCE_S) == 2


def test_one_batch_larger_than_the_line_is_taken_when_the_line_is_empty(commit, writer):
    writer.let_through()
    assert commit.submit([batch(1_000)]).result(PATIENCE_S) == 1
    busy(commit, writer)
    with pytest.raises(Overloaded):
        commit.submit([batch(1_000)])


def test_a_refused_commit_fails_for_all_who_waited_and_the_next_succeeds(clock):
    writer = GatedWriter(refusals=2)
    commit = GroupCommit(writer, clock, max_records=10)
    first = busy(commit, writer)
    others = [commit.submit([batch(2)]) for _ in range(3)]
    writer.let_through(2)
    for future in (first, *others):
        with pytest.raises(DependencyUnavailable, match="the disk is full"):
            future.result(PATIENCE_S)
    writer.let_through()
    assert commit.submit([batch(10)]).result(PATIENCE_S) == 1
    assert [len(group) for group, _ in writer.appended] == [1]
    commit.close()


def test_a_full_log_recovers_by_itself(clock):
    log = MemoryEventLog()
    commit = GroupCommit(log.writer("worker-1"), clock, max_records=10)
    log.full = True
    with pytest.raises(DependencyUnavailable, match="full") as caught:
        commit.submit([batch()]).result(PATIENCE_S)
    assert caught.value.code == "log_unavailable"
    log.full = False
    assert commit.submit([batch()]).result(PATIENCE_S) == 1
    commit.close()


def test_closing_writes_what_waits_and_then_gives_the_partition_up(writer, clock):
    commit = GroupCommit(writer, clock, max_records=10)
    waiting = [busy(commit, writer), *(commit.submit([batch()]) for _ in range(3))]
    closing = threading.Thread(target=commit.close)
    closing.start()
    assert not writer.closed
    writer.let_through(2)
    closing.join(PATIENCE_S)
    assert writer.closed
    assert [future.result(0) for future in waiting] == [1, 4, 4, 4]


def test_a_closed_line_takes_nothing_and_says_so(writer, clock):
    commit = GroupCommit(writer, clock, max_records=10)
    commit.close()
    with pytest.raises(DependencyUnavailable, match="the log is closing") as caught:
        commit.submit([batch()])
    assert caught.value.code == "log_unavailable"
    assert writer.appended == []


def test_a_caller_who_went_away_spoils_nothing_for_the_others(commit, writer):
    first = busy(commit, writer)
    gone, stays = commit.submit([batch()]), commit.submit([batch()])
    gone.cancel()
    writer.let_through(2)
    assert (first.result(PATIENCE_S), stays.result(PATIENCE_S)) == (1, 3)
    writer.let_through()
    assert commit.submit([batch()]).result(PATIENCE_S) == 4


def test_a_client_that_hangs_up_while_its_events_are_written_spoils_nothing(commit, writer):
    async def hang_up_and_send_again():
        waiting = asyncio.ensure_future(asyncio.wrap_future(commit.submit([batch()])))
        await asyncio.to_thread(writer.entered.acquire, timeout=PATIENCE_S)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        writer.let_through(2)
        again = asyncio.wrap_future(commit.submit([batch()]))
        return await asyncio.wait_for(again, PATIENCE_S)

    assert asyncio.run(hang_up_and_send_again()) == 2


class BrokenWriter(GatedWriter):
    """A writer with a bug of ours."""

    def append(self, batches, at_ms):
        super().append(batches, at_ms)
        raise BrokenContract("an append that cannot be")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_ever_when_a_bug_ends_the_thread(clock):
    writer = BrokenWriter()
    commit = GroupCommit(writer, clock, max_records=10)
    waiting = [busy(commit, writer), commit.submit([batch()])]
    writer.let_through()
    for future in waiting:
        with pytest.raises(DependencyUnavailable, match="stopped before it was written"):
            future.result(PATIENCE_S)
    with pytest.raises(DependencyUnavailable, match="the log is closing"):
        commit.submit([batch()])
    commit.close()
    assert writer.closed


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    callers=st.lists(
        st.lists(st.lists(st.binary(max_size=4), min_size=1, max_size=3), max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_many_callers_lose_nothing_and_each_keeps_its_own_order(callers):
    log = MemoryEventLog()
    commit = GroupCommit(log.writer("worker-1"), FixedClock(NOW_MS), max_records=1_000)
    offsets = [[] for _ in callers]

    def call(number):
        futures = [
            commit.submit([batch(content=bytes([number]) + part) for part in group])
            for group in callers[number]
        ]
        offsets[number] = [future.result(PATIENCE_S) for future in futures]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    commit.close()
    stored = log.read("worker-1", 0, 1_000)
    for number, groups in enumerate(callers):
        mine = [part.payload[1:] for part in stored if part.payload[0] == number]
        assert mine == [part for group in groups for part in group]
        assert offsets[number] == sorted(offsets[number])
    assert len(stored) == sum(len(group) for groups in callers for group in groups)
