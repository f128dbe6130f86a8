import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.app.history import HISTORY_PARTITION, LogSink
from playbill.contracts import EVENT_RECORD, Batch, BatchKind, HistorySink, Settings
from playbill.contracts.settings import StateSettings
from playbill.core import Conflict, DependencyUnavailable, InvalidInput
from playbill.events import EpochLog, EpochRecord, MemoryEventLog, read_epoch
from playbill.events.adapters.sqlite_log import SqliteEventLog
from playbill.events.partitions import EPOCHS_PARTITION
from playbill.features import Replay
from playbill.privacy import MemoryKeyStore, Pseudonyms

laws = settings(max_examples=50, deadline=None, derandomize=True)
NOW_MS = 1_700_000_000_000
SETTINGS = Settings(regions=("world", "eu"), surfaces=("home",))
PSEUDONYMS = Pseudonyms(MemoryKeyStore().secret("pseudonym"))
VIDEO = {"video_id": "video-1", "author_id": "author-1", "duration_ms": 60_000}


def play(number, **changed):
    told = {"event_id": f"event-{number}", "type": "watch", "user_id": "user-1", "watch_ms": number}
    return told | {"video_id": "video-1", "at": NOW_MS + number} | changed


def sink_over(log):
    return LogSink(log, SETTINGS, PSEUDONYMS)


def epochs_of(log, sink=None):
    """Return the epochs of a log, after closing the sink that may hold some back."""
    if sink is not None:
        sink.close()
    return list(EpochLog(log).after(0))


def contents_of(log, sink=None):
    """Return what each epoch of a log holds."""
    before, contents = EpochLog(log).get(0), []
    for this in epochs_of(log, sink):
        contents.append(read_epoch(log, before, this))
        before = this
    return contents


def marks_of(log, sink=None):
    """Return the ``watch_ms`` of the events of each epoch, which tell them apart."""
    return [content.event_records()["watch_ms"].tolist() for content in contents_of(log, sink)]


class PartlyFullLog:
    """A log in memory of which single partitions can be full."""

    def __init__(self):
        self.memory = MemoryEventLog()
        self.full = set()

    def writer(self, partition):
        return PartlyFullWriter(self, partition, self.memory.writer(partition))

    def read(self, partition, after, limit, up_to=None):
        return self.memory.read(partition, after, limit, up_to)

    def partitions(self):
        return self.memory.partitions()

    def last_offset(self, partition):
        return self.memory.last_offset(partition)


class PartlyFullWriter:
    def __init__(self, log, partition, writer):
        self.log, self.partition, self.writer = log, partition, writer

    def append(self, batches, at_ms):
        if self.partition in self.log.full:
            raise DependencyUnavailable(f"{self.partition} is full", code="log_unavailable")
        return self.writer.append(batches, at_ms)

    def close(self):
        self.writer.close()


@pytest.fixture
def log():
    return MemoryEventLog()


@pytest.fixture
def sink(log) -> HistorySink:
    opened = sink_over(log)
    yield opened
    opened.close()


def test_each_window_of_events_is_one_epoch_at_its_instant(log, sink):
    assert sink.events([play(1), play(2)], NOW_MS + 10) == []
    assert sink.events([play(3)], NOW_MS + 20) == []
    assert epochs_of(log, sink) == [
        EpochRecord(epoch=1, at_ms=NOW_MS + 10, upto={HISTORY_PARTITION: 1}),
        EpochRecord(epoch=2, at_ms=NOW_MS + 20, upto={HISTORY_PARTITION: 2}),
    ]
    assert marks_of(log) == [[1, 2], [3]]


def test_videos_and_users_are_stored_as_if_posted_at_their_instant(log, sink):
    assert sink.videos([VIDEO, VIDEO | {"video_id": "video-2", "created_at": 5}], NOW_MS) == []
    assert sink.users([{"user_id": "user-1", "region": "eu"}], NOW_MS) == []
    videos, users = contents_of(log, sink)
    assert [video.video_id for video in videos.videos] == ["video-1", "video-2"]
    assert [video.created_at_ms for video in videos.videos] == [NOW_MS, 5]
    assert [video.posted_at_ms for video in videos.videos] == [NOW_MS, NOW_MS]
    assert users.users[0].user == PSEUDONYMS.user("user-1")
    assert (users.users[0].region, users.users[0].at_ms) == ("eu", NOW_MS)


def test_an_event_of_any_age_is_taken_and_counts_as_received_then(log, sink):
    sink.events([play(1, at=0), play(2, at=NOW_MS * 2)], NOW_MS)
    (content,) = contents_of(log, sink)
    assert content.event_records()["at_ms"].tolist() == [0, NOW_MS]
    assert content.event_records()["received_at_ms"].tolist() == [NOW_MS, NOW_MS]


def test_the_same_instant_twice_is_two_epochs(log, sink):
    for number in (1, 2):
        assert sink.events([play(number)], NOW_MS) == []
    told = [(epoch.epoch, epoch.at_ms) for epoch in epochs_of(log, sink)]
    assert told == [(1, NOW_MS), (2, NOW_MS)]


@pytest.mark.parametrize("verb", ["videos", "users", "events"])
def test_a_history_never_goes_back_in_time(log, sink, verb):
    bodies = {"videos": [VIDEO], "users": [{"user_id": "user-1"}], "events": [play(1)]}[verb]
    sink.events([play(0)], NOW_MS)
    with pytest.raises(
        InvalidInput, match=rf"begins at {NOW_MS - 1}, the log already stands at {NOW_MS}"
    ) as caught:
        getattr(sink, verb)(bodies, NOW_MS - 1)
    assert "oldest first" in caught.value.hint
    assert len(epochs_of(log, sink)) == 1
    assert len(log.read(HISTORY_PARTITION, 0, 9)) == 1


def test_a_history_goes_on_where_an_earlier_one_ended(log, sink):
    sink.events([play(1)], NOW_MS)
    sink.close()
    again = sink_over(log)
    again.events([play(2)], NOW_MS + 5)
    with pytest.raises(InvalidInput, match="already stands"):
        again.events([play(3)], NOW_MS)
    again.close()
    assert [told.upto for told in epochs_of(log)] == [
        {HISTORY_PARTITION: 1},
        {HISTORY_PARTITION: 2},
    ]


def test_a_history_keeps_what_other_partitions_stood_at(log):
    worker = log.writer("worker-1")
    worker.append([Batch(BatchKind.TRACES, 1, b"")] * 7, NOW_MS)
    worker.close()
    writer = log.writer(EPOCHS_PARTITION)
    EpochLog(log).append(writer, EpochRecord(epoch=1, at_ms=NOW_MS, upto={"worker-1": 7}))
    writer.close()
    sink = sink_over(log)
    sink.events([play(1)], NOW_MS)
    assert epochs_of(log, sink)[-1].upto == {"worker-1": 7, HISTORY_PARTITION: 1}


def test_a_home_that_is_being_served_takes_no_history(log):
    writer = log.writer(EPOCHS_PARTITION)
    with pytest.raises(Conflict, match=EPOCHS_PARTITION):
        sink_over(log)
    writer.close()
    sink_over(log).close()


def test_bad_bodies_are_named_by_index_in_order_and_the_others_are_stored(log, sink):
    videos = [VIDEO | {"regions": ["mars"]}, VIDEO, {"video_id": 7}, VIDEO | {"regions": ["moon"]}]
    refused = sink.videos(videos, NOW_MS)
    assert [(problem.index, problem.code, problem.field) for problem in refused] == [
        (0, "undeclared_value", "region"),
        (2, "invalid_event", "video_id"),
        (3, "undeclared_value", "region"),
    ]
    refused = sink.users([{}, {"user_id": "user-1"}, {"user_id": "u", "region": "mars"}], NOW_MS)
    assert [problem.index for problem in refused] == [0, 2]
    refused = sink.events([play(1, type="watch", watch_ms=None), {}, play(2), play(2)], NOW_MS)
    assert [(problem.index, problem.code) for problem in refused] == [
        (0, "watch_missing"),
        (1, "invalid_event"),
    ]
    videos, users, events = contents_of(log, sink)
    assert [len(videos.videos), len(users.users), len(events.event_records())] == [1, 1, 1]


def _narrow(**room):
    return msgspec.structs.replace(SETTINGS, state=StateSettings(**room))


def _folded(log, told):
    replay = Replay.from_nothing(log, told)
    return sum(replay.fold(content).videos_without_room for content in replay.contents())


@pytest.mark.parametrize(
    ("room", "authors", "refused", "named"),
    [
        ({"item_capacity": 2}, "abcd", [2, 3], "2 videos (state.item_capacity)"),
        ({"group_capacity": 2}, "abcb", [2], "2 authors (state.group_capacity)"),
    ],
)
def test_a_video_without_room_is_refused_and_the_fold_leaves_out_no_other(
    log, room, authors, refused, named
):
    told = _narrow(**room)
    sink = LogSink(log, told, PSEUDONYMS)
    videos = [VIDEO | {"video_id": f"v{n}", "author_id": who} for n, who in enumerate(authors)]
    found = sink.videos([*videos, videos[0]], NOW_MS)
    assert [(problem.index, problem.code) for problem in found] == [
        (index, "item_capacity") for index in refused
    ]
    assert named in found[0].message
    sink.close()
    assert _folded(log, told) == 0


@pytest.mark.parametrize("how", ["users", "events"])
def test_authors_that_are_followed_first_take_their_part_of_the_room_also_later(log, how):
    told = _narrow(group_capacity=4)
    first = LogSink(log, told, PSEUDONYMS)
    if how == "users":
        first.users([{"user_id": "user-1", "follows": ["x", "y", "z"]}], NOW_MS)
    else:
        follow = {"type": "follow", "video_id": None, "watch_ms": None}
        first.events([play(n, **follow, author_id=who) for n, who in enumerate("xyz")], NOW_MS)
    first.close()
    again = LogSink(log, told, PSEUDONYMS)
    videos = [VIDEO | {"video_id": f"v{n}", "author_id": who} for n, who in enumerate("axbcy")]
    assert [problem.index for problem in again.videos(videos, NOW_MS + 1)] == [3]
    again.close()
    assert _folded(log, told) == 0


def test_a_refusal_says_what_to_do_whether_it_is_of_a_video_or_of_an_event(log, sink):
    (video,) = sink.videos([VIDEO | {"regions": ["mars"]}], NOW_MS)
    (event,) = sink.events([play(1, region="mars")], NOW_MS)
    assert video == event
    assert "add it to regions in playbill.toml" in video.hint


def test_a_video_published_before_1970_is_refused_and_its_neighbours_are_stored(log, sink):
    old = VIDEO | {"created_at": "1969-07-20T20:17:40Z"}
    (problem,) = sink.videos([old, VIDEO], NOW_MS)
    assert (problem.index, problem.code, problem.field) == (0, "invalid_event", "created_at")
    assert len(contents_of(log, sink)[0].videos) == 1


@pytest.mark.parametrize("verb", ["videos", "users", "events"])
@pytest.mark.parametrize("bodies", [[], [{}], [{"region": "mars"}]])
def test_a_window_in_which_nothing_is_good_makes_no_epoch(log, sink, verb, bodies):
    assert len(getattr(sink, verb)(bodies, NOW_MS)) == len(bodies)
    assert epochs_of(log, sink) == []


@laws
@given(windows=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4)), max_size=8))
def test_every_event_of_a_history_is_in_exactly_one_epoch_in_order(windows):
    log, at_ms, sent = MemoryEventLog(), NOW_MS, []
    sink = sink_over(log)
    for gap_ms, size in windows:
        at_ms += gap_ms
        bodies = [play(len(sent) + place) for place in range(size)]
        assert sink.events(bodies, at_ms) == []
        sent += [at_ms] * size
    contents = contents_of(log, sink)
    records = [content.event_records() for content in contents]
    stored = np.concatenate([np.empty(0, EVENT_RECORD), *records])
    assert stored["watch_ms"].tolist() == list(range(len(sent)))
    assert stored["received_at_ms"].tolist() == sent
    assert [content.epoch for content in contents] == list(range(1, len(contents) + 1))
    assert len(contents) == sum(1 for _, size in windows if size)


def test_a_history_lies_in_a_log_on_disk_as_in_one_in_memory(tmp_path, log, sink):
    disk = SqliteEventLog(tmp_path)
    other = sink_over(disk)
    for taker in (sink, other):
        taker.videos([VIDEO], NOW_MS)
        taker.events([play(1), play(2)], NOW_MS)
    sink.close()
    other.close()
    for partition in (HISTORY_PARTITION, EPOCHS_PARTITION):
        assert disk.read(partition, 0, 9) == log.read(partition, 0, 9)
    assert [stored.kind for stored in disk.read(HISTORY_PARTITION, 0, 9)] == [
        BatchKind.VIDEOS,
        BatchKind.EVENTS,
    ]
    disk.close()


def test_windows_share_a_commit_and_none_is_left_behind(log, sink):
    for number in range(300):
        sink.events([play(number)], NOW_MS + number)
    assert marks_of(log) == [[number] for number in range(256)]
    assert marks_of(log, sink) == [[number] for number in range(300)]
    assert [told.at_ms for told in epochs_of(log)] == [NOW_MS + number for number in range(300)]


@pytest.mark.parametrize("partition", [HISTORY_PARTITION, EPOCHS_PARTITION])
def test_a_disk_that_was_full_for_a_while_shifts_nothing(partition):
    log = PartlyFullLog()
    sink = sink_over(log)
    for number in range(255):
        sink.events([play(number)], NOW_MS + number)
    log.full = {partition}
    with pytest.raises(DependencyUnavailable, match=f"{partition} is full"):
        sink.events([play(255)], NOW_MS + 255)
    log.full = set()
    for number in range(256, 600):
        sink.events([play(number)], NOW_MS + number)
    assert marks_of(log, sink) == [[number] for number in range(600)]
    assert log.last_offset(HISTORY_PARTITION) == 600


@pytest.mark.parametrize("partition", [HISTORY_PARTITION, EPOCHS_PARTITION])
def test_a_sink_that_cannot_store_the_rest_says_so_and_gives_the_partitions_up(partition):
    log = PartlyFullLog()
    sink = sink_over(log)
    sink.events([play(1)], NOW_MS)
    log.full = {partition}
    with pytest.raises(DependencyUnavailable, match=f"{partition} is full"):
        sink.close()
    log.full = set()
    again = sink_over(log)
    again.events([play(1), play(2)], NOW_MS)
    stored = [number for epoch in marks_of(log, again) for number in epoch]
    assert stored[-2:] == [1, 2], "an event may come twice; folding counts it once"
