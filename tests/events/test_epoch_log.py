import numpy as np
import pytest
from event_worlds import NOW_MS, PSEUDONYMS, SETTINGS, settled
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import (
    EVENT_RECORD,
    Batch,
    BatchKind,
    StoredUser,
    StoredVideo,
    Takedown,
    User,
    Video,
)
from playbill.core import BrokenContract, DependencyUnavailable, FixedClock
from playbill.events import (
    EpochLog,
    EpochRecord,
    GroupCommit,
    MemoryEventLog,
    Vocabulary,
    encode_events,
    encode_takedowns,
    encode_users,
    encode_videos,
    read_epoch,
    store_user,
    store_video,
)
from playbill.events.partitions import EPOCHS_PARTITION

laws = settings(max_examples=50, deadline=None, derandomize=True)
NOTHING = EpochRecord(epoch=0, at_ms=0, upto={})
REGIONS = Vocabulary("region", SETTINGS.regions)


def record(epoch, **upto):
    named = {name.replace("_", "-"): offset for name, offset in upto.items()}
    return EpochRecord(epoch=epoch, at_ms=NOW_MS + epoch, upto=named)


def events_of(*marks):
    """Return a batch of events whose watch_ms tell them apart."""
    records = np.zeros(len(marks), EVENT_RECORD)
    records["watch_ms"] = marks
    return encode_events(records)


def marks_of(content):
    return content.event_records()["watch_ms"].tolist()


@pytest.fixture
def log():
    return MemoryEventLog()


def test_before_the_first_epoch_there_is_the_empty_beginning(log):
    epochs = EpochLog(log)
    assert epochs.last() == epochs.get(0) == NOTHING
    assert list(epochs.after(0)) == []


@laws
@given(
    upto=st.lists(
        st.dictionaries(st.sampled_from(["worker-1", "history"]), st.integers(0, 1 << 50)),
        min_size=1,
        max_size=6,
    ),
    after=st.integers(0, 7),
    up_to=st.none() | st.integers(0, 7),
)
def test_epochs_come_back_as_they_were_recorded_by_number_and_in_order(upto, after, up_to):
    log = MemoryEventLog()
    writer, epochs = log.writer(EPOCHS_PARTITION), EpochLog(log)
    recorded = [
        EpochRecord(epoch=number, at_ms=NOW_MS + number, upto=offsets)
        for number, offsets in enumerate(upto, start=1)
    ]
    for told in recorded:
        EpochLog(log).append(writer, told)
        assert epochs.last() == told
    assert [epochs.get(told.epoch) for told in recorded] == recorded
    last = len(recorded) if up_to is None else up_to
    assert list(epochs.after(after, up_to)) == recorded[after:last]


def test_epochs_past_a_page_are_all_read(log):
    writer = log.writer(EPOCHS_PARTITION)
    for number in range(1, 1_101):
        EpochLog(log).append(writer, record(number))
    assert [told.epoch for told in EpochLog(log).after(3)] == list(range(4, 1_101))
    assert [told.epoch for told in EpochLog(log).after(3, 600)] == list(range(4, 601))
    assert [told.epoch for told in EpochLog(log).after(588)] == list(range(589, 1_101))


def test_an_epoch_that_the_log_refused_does_not_exist(log):
    writer = log.writer(EPOCHS_PARTITION)
    EpochLog(log).append(writer, record(1))
    log.full = True
    with pytest.raises(DependencyUnavailable):
        EpochLog(log).append(writer, record(2))
    assert EpochLog(log).last() == record(1)


@pytest.mark.parametrize("numbers", [[1], [3], [4], [2, 2], [2, 4], [3, 2]])
def test_an_epoch_whose_number_is_not_its_offset_is_refused_and_nothing_is_stored(log, numbers):
    writer, epochs = log.writer(EPOCHS_PARTITION), EpochLog(log)
    epochs.append(writer, record(1))
    wrong, offset = next((told, n) for n, told in enumerate(numbers, start=2) if told != n)
    expected = rf"epoch {wrong} would lie at offset {offset} .* expected epoch {offset}"
    with pytest.raises(BrokenContract, match=expected) as caught:
        epochs.append(writer, *map(record, numbers))
    assert "recover" in caught.value.hint
    assert epochs.last() == record(1)


@pytest.mark.parametrize("number", [3, 700])
def test_an_epoch_that_the_log_lacks_is_named_with_where_the_log_ends(log, number):
    EpochLog(log).append(log.writer(EPOCHS_PARTITION), record(1), record(2))
    expected = rf"epoch {number} is not in the log, which ends at epoch 2"
    with pytest.raises(DependencyUnavailable, match=expected) as caught:
        EpochLog(log).get(number)
    assert caught.value.code == "log_unavailable"
    assert "restore" in caught.value.hint


def test_an_epoch_is_stored_at_its_instant_as_one_record(log):
    EpochLog(log).append(log.writer(EPOCHS_PARTITION), record(1, worker_1=3))
    (stored,) = log.read(EPOCHS_PARTITION, 0, 9)
    assert (stored.offset, stored.at_ms, stored.kind, stored.count) == (
        1,
        NOW_MS + 1,
        BatchKind.EPOCH,
        1,
    )


def test_an_epoch_holds_partitions_by_name_and_offsets_in_order(log):
    late, early = log.writer("worker-2"), log.writer("worker-1")
    late.append([events_of(20), events_of(21)], NOW_MS)
    early.append([events_of(10)], NOW_MS + 9)
    late.append([events_of(22)], NOW_MS)
    early.append([events_of(11, 12)], NOW_MS)
    content = read_epoch(log, NOTHING, record(1, worker_2=3, worker_1=2))
    assert marks_of(content) == [10, 11, 12, 20, 21, 22]
    assert (content.epoch, content.at_ms) == (1, NOW_MS + 1)


def test_the_order_in_which_an_epoch_names_its_partitions_does_not_matter(log):
    for name in ("worker-1", "worker-2"):
        log.writer(name).append([events_of(int(name[-1]))], NOW_MS)
    one = read_epoch(log, NOTHING, record(1, worker_1=1, worker_2=1))
    other = read_epoch(log, NOTHING, record(1, worker_2=1, worker_1=1))
    assert marks_of(one) == marks_of(other) == [1, 2]


@laws
@given(
    sizes=st.lists(st.integers(0, 9), min_size=2, max_size=2),
    cuts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5),
)
def test_epochs_cut_the_log_into_pieces_that_neither_overlap_nor_leave_gaps(sizes, cuts):
    log = MemoryEventLog()
    names = ("worker-1", "worker-2")
    for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
        log.writer(name).append([events_of(100 * number + n) for n in range(size)], NOW_MS)
    first = sorted(min(cut[0], sizes[0]) for cut in cuts)
    second = sorted(min(cut[1], sizes[1]) for cut in cuts)
    before, seen = NOTHING, []
    for number, (one, other) in enumerate(
        zip([*first, sizes[0]], [*second, sizes[1]], strict=True)
    ):
        this = record(number + 1, worker_1=one, worker_2=other)
        marks = marks_of(read_epoch(log, before, this))
        assert marks == sorted(marks)
        seen += marks
        before = this
    assert sorted(seen) == [*range(sizes[0]), *range(100, 100 + sizes[1])]


def test_a_partition_longer_than_a_page_is_read_to_its_offset_and_no_further(log):
    log.writer("worker-1").append([events_of(n) for n in range(1_200)], NOW_MS)
    content = read_epoch(log, record(1, worker_1=5), record(2, worker_1=1_100))
    assert marks_of(content) == list(range(5, 1_100))


@pytest.mark.parametrize("held", [0, 1, 700])
def test_a_log_that_lacks_what_an_epoch_names_is_not_read_as_less(log, held):
    log.writer("worker-1").append([events_of(n) for n in range(held)], NOW_MS)
    with pytest.raises(DependencyUnavailable, match=f"the log ends at {held}") as caught:
        read_epoch(log, NOTHING, record(1, worker_1=held + 1))
    assert caught.value.code == "log_unavailable"


def test_a_partition_that_an_epoch_does_not_name_is_not_read(log):
    log.writer("worker-1").append([events_of(1)], NOW_MS)
    log.writer("worker-2").append([events_of(2)], NOW_MS)
    assert marks_of(read_epoch(log, NOTHING, record(1, worker_2=1))) == [2]


def test_every_kind_that_a_fold_reads_reaches_it_and_the_others_are_passed_over(log):
    video = Video(video_id="video-1", author_id="author-1", duration_ms=1_000)
    stored = store_video(video, NOW_MS, REGIONS)
    viewer = store_user(User(user_id="user-1", region="eu"), NOW_MS, PSEUDONYMS, REGIONS)
    takedown = Takedown(key=stored.key, at_ms=NOW_MS)
    log.writer("worker-1").append(
        [
            encode_videos([stored]),
            Batch(BatchKind.TRACES, 1, b"a trace"),
            encode_users([viewer]),
            encode_takedowns([takedown]),
            Batch(BatchKind.DEAD, 1, b"sealed"),
            events_of(1, 2),
        ],
        NOW_MS,
    )
    content = read_epoch(log, NOTHING, record(1, worker_1=6))
    assert content.videos == [stored]
    assert content.users == [viewer]
    assert content.takedowns == [takedown]
    assert marks_of(content) == [1, 2]
    assert isinstance(content.videos[0], StoredVideo)
    assert isinstance(content.users[0], StoredUser)


def test_an_empty_epoch_has_columns_and_no_rows(log):
    content = read_epoch(log, NOTHING, record(1))
    assert (content.event_records().dtype, len(content.event_records())) == (EVENT_RECORD, 0)
    assert (len(content.served().requests), len(content.served().shown)) == (0, 0)


def test_what_a_group_commit_made_durable_is_in_the_next_epoch(log):
    commit = GroupCommit(log.writer("worker-1"), FixedClock(NOW_MS), 100)
    offsets = settled([commit.submit([events_of(n)]) for n in range(5)])
    commit.close()
    content = read_epoch(log, NOTHING, record(1, worker_1=offsets[-1]))
    assert marks_of(content) == list(range(5))
