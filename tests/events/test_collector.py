import msgspec
import numpy as np
import pytest
from event_worlds import (
    NOW_MS,
    PSEUDONYMS,
    SETTINGS,
    GatedWriter,
    Station,
    body,
    body_of,
    event,
    fields,
    settled,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import (
    EVENT_RECORD,
    REJECTIONS,
    REQUEST_RECORD,
    SHOWN_RECORD,
    BatchKind,
    EventsReply,
    User,
    Video,
)
from playbill.core import DependencyUnavailable, InvalidInput, Overloaded, key64
from playbill.events import Collector, EpochInput, GroupCommit, decode_videos
from playbill.events.batches import decode_impressions

laws = settings(max_examples=40, deadline=None, derandomize=True)

REFUSED_FOR = {
    "invalid_event": msgspec.json.encode(fields(type="glance")),
    "event_from_future": msgspec.json.encode(fields(at=NOW_MS + 10**7)),
    "event_too_old": msgspec.json.encode(fields(at=NOW_MS - 10**10)),
    "video_missing": msgspec.json.encode(fields(video_id=None)),
    "author_missing": msgspec.json.encode(fields(type="follow", video_id=None)),
    "watch_missing": msgspec.json.encode(fields(type="watch")),
    "undeclared_value": msgspec.json.encode(fields(region="mars")),
    "event_too_large": b'{"x":"' + b"y" * SETTINGS.admission.max_event_bytes + b'"}',
}


@pytest.fixture
def station():
    opened = Station()
    yield opened
    opened.log.full = False
    opened.collector.close()


def test_every_documented_reason_to_refuse_an_event_is_reachable_and_no_other(station):
    assert set(REFUSED_FOR) == set(REJECTIONS)
    reply, durable = station.collector.take_events(body_of(*REFUSED_FOR.values()))
    settled(durable)
    assert [problem.code for problem in reply.rejected] == list(REFUSED_FOR)
    assert [problem.index for problem in reply.rejected] == list(range(len(REFUSED_FOR)))
    assert all(problem.message for problem in reply.rejected)
    assert {letter.code for letter in station.letters.waiting()} == set(REJECTIONS)


def test_accepted_events_lie_in_the_log_when_the_future_says_so(station):
    reply, durable = station.collector.take_events(body(fields(1), fields(2), fields(1)))
    assert reply == EventsReply(accepted=2, duplicates=1, rejected=[])
    assert settled(durable) == [1]
    (stored,) = station.stored()
    assert (stored.kind, stored.count, stored.at_ms) == (BatchKind.EVENTS, 2, NOW_MS)
    records = np.frombuffer(stored.payload, EVENT_RECORD)
    assert [record.tobytes() for record in records["event"]] == [
        PSEUDONYMS.event("event-1"),
        PSEUDONYMS.event("event-2"),
    ]
    assert station.stored("dead-worker-1") == []


def test_refused_events_wait_as_dead_letters_with_their_text(station):
    reply, durable = station.collector.take_events(
        body_of(b"5", *map(msgspec.json.encode, (fields(1), fields(2, region="mars"))))
    )
    settled(durable)
    assert reply.accepted == 1
    letters = list(station.letters.waiting())
    assert [(letter.code, letter.field) for letter in letters] == [
        ("invalid_event", None),
        ("undeclared_value", "region"),
    ]
    assert letters[0].text == "5"
    assert msgspec.json.decode(letters[1].text) == fields(2, region="mars")
    assert [letter.message for letter in letters] == [one.message for one in reply.rejected]


def test_a_batch_of_nothing_writes_nothing(station):
    reply, durable = station.collector.take_events(b'{"events":[]}')
    assert reply == EventsReply(accepted=0, duplicates=0, rejected=[])
    assert durable == []
    assert station.stored() == station.stored("dead-worker-1") == []


def test_a_body_that_is_no_batch_writes_nothing(station):
    with pytest.raises(InvalidInput, match="events"):
        station.collector.take_events(b"{}")
    assert station.stored() == station.stored("dead-worker-1") == []


samples = st.sampled_from(
    [*(msgspec.json.encode(fields(number)) for number in range(3)), *REFUSED_FOR.values(), b"NaN"]
)


@laws
@given(texts=st.lists(samples, max_size=12))
def test_the_reply_counts_every_event_once_and_the_log_agrees(texts):
    station = Station()
    reply, durable = station.collector.take_events(body_of(*texts))
    settled(durable)
    station.collector.close()
    assert reply.accepted + reply.duplicates + len(reply.rejected) == len(texts)
    indexes = [problem.index for problem in reply.rejected]
    assert indexes == sorted(set(indexes))
    assert sum(stored.count for stored in station.stored()) == reply.accepted
    letters = station.stored("dead-worker-1")
    assert sum(stored.count for stored in letters) == len(reply.rejected)
    assert len(list(station.letters.waiting())) == len(reply.rejected)


def test_typed_events_are_judged_like_sent_ones(station):
    typed = [event(1), event(2, type="watch"), event(1)]
    sent = body(fields(1), fields(2, type="watch"), fields(1))
    one, durable = station.collector.take_typed(typed)
    other, durable_too = station.collector.take_events(sent)
    settled([*durable, *durable_too])
    assert one == other
    first, second = station.stored()
    assert first.payload == second.payload


def test_a_full_log_means_that_nothing_is_durable_and_later_it_is(station):
    station.log.full = True
    _, durable = station.collector.take_events(body(fields(1), fields(2, region="mars")))
    assert len(durable) == 2
    for future in durable:
        with pytest.raises(DependencyUnavailable, match="full") as caught:
            future.result(timeout=30)
        assert caught.value.code == "log_unavailable"
    assert station.stored() == station.stored("dead-worker-1") == []
    station.log.full = False
    _, again = station.collector.take_events(body(fields(1)))
    assert settled(again) == [1]


def _collector(station, log=None, dead=None):
    """Return a collector of a station with another line in the place of one of its own."""
    others = station.catalogue, station.takedowns, dead or station.dead
    lines = log or station.main, *others, station.letters, station.clock
    return Collector(SETTINGS, PSEUDONYMS, *lines)


def test_a_collector_with_a_full_line_says_when_to_come_back(station):
    writer = GatedWriter()
    line = GroupCommit(writer, station.clock, max_records=3)
    collector = _collector(station, log=line)
    _, first = collector.take_events(body(*(fields(n) for n in range(3))))
    with pytest.raises(Overloaded, match="at most 3 may") as caught:
        collector.take_events(body(fields(4), fields(5, region="mars")))
    assert caught.value.retry_after_s >= 1
    assert station.stored("dead-worker-1") == [], "what is sent again must not be kept twice"
    writer.let_through()
    settled(first)
    line.close()


def test_a_batch_whose_letters_find_no_room_is_sent_again_as_a_whole(station):
    writer = GatedWriter()
    line = GroupCommit(writer, station.clock, max_records=1)
    collector = _collector(station, dead=line)
    sent = body(fields(1), fields(2, region="mars"))
    _, first = collector.take_events(sent)
    with pytest.raises(Overloaded):
        collector.take_events(sent)
    writer.let_through(2)
    settled(first)
    reply, again = collector.take_events(sent)
    settled(again)
    assert (reply.accepted, len(reply.rejected)) == (1, 1)
    assert len({stored.payload for stored in station.stored()}) == 1, "the fold counts it once"
    assert len(writer.appended) == 2
    line.close()


def test_videos_users_and_take_downs_are_stamped_on_arrival(station):
    collector = station.collector
    video = Video(video_id="video-1", author_id="author-1", duration_ms=1_000)
    settled([collector.take_videos([video])])
    station.clock.advance(50)
    settled([collector.take_users([User(user_id="user-1", region="eu")])])
    station.clock.advance(50)
    settled([collector.take_down("video-1")])
    content = EpochInput(1, NOW_MS)
    found = [station.stored(line)[0] for line in ("catalogue-worker-1", "takedowns-worker-1")]
    found += station.stored()
    for stored in found:
        content.add(stored.kind, stored.payload)
    kinds = [BatchKind.VIDEOS, BatchKind.TAKEDOWNS, BatchKind.USERS]
    assert [stored.kind for stored in found] == kinds
    assert content.videos[0].posted_at_ms == content.videos[0].created_at_ms == NOW_MS
    assert (content.users[0].user, content.users[0].at_ms) == (
        PSEUDONYMS.user("user-1"),
        NOW_MS + 50,
    )
    assert (content.takedowns[0].key, content.takedowns[0].at_ms) == (
        key64("video-1"),
        NOW_MS + 100,
    )
    assert decode_videos(found[0].payload)[0].video_id == "video-1"


def test_videos_and_users_enter_all_or_none(station):
    good = Video(video_id="video-1", author_id="author-1", duration_ms=1_000)
    bad = Video(video_id="video-2", author_id="author-1", duration_ms=1_000, regions=["mars"])
    with pytest.raises(InvalidInput, match="'mars' is not declared"):
        station.collector.take_videos([good, bad])
    with pytest.raises(InvalidInput, match="'mars' is not declared"):
        station.collector.take_users([User(user_id="u"), User(user_id="v", region="mars")])
    assert station.stored() == station.stored("catalogue-worker-1") == []


def test_impressions_and_traces_are_kept_beside_each_other(station):
    head, shown = np.zeros(1, REQUEST_RECORD), np.zeros(2, SHOWN_RECORD)
    head["count"], shown["video"] = 2, (7, 9)
    settled([station.collector.take_impressions([(head, shown)])])
    settled([station.collector.take_traces([b"one", b"other"])])
    impressions, *traces = station.stored()
    assert decode_impressions(impressions.payload).shown["video"].tolist() == [7, 9]
    assert [(trace.kind, trace.payload) for trace in traces] == [
        (BatchKind.TRACES, b"one"),
        (BatchKind.TRACES, b"other"),
    ]


def test_closing_writes_what_waits_and_frees_both_partitions():
    station = Station()
    _, durable = station.collector.take_events(body(fields(1), fields(2, region="mars")))
    station.collector.close()
    assert [future.done() for future in durable] == [True, True]
    assert len(station.stored()) == len(station.stored("dead-worker-1")) == 1
    for partition in ("worker-1", "dead-worker-1"):
        station.log.writer(partition).close()
