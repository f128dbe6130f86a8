from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from event_worlds import NOW_MS, PSEUDONYMS, SETTINGS, event, fields, valid_fields
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playbill.contracts import EVENT_CODES, EVENT_RECORD, AdmissionSettings, EventType
from playbill.core import InvalidInput, key64, request_name
from playbill.events import Admission, Bounds, Vocabulary

laws = settings(max_examples=100, deadline=None, derandomize=True)
BOUNDS = Bounds(max_ahead_ms=300_000, max_age_ms=86_400_000)
LIVE = Admission(SETTINGS, PSEUDONYMS, BOUNDS)
PAST = Admission(SETTINGS, PSEUDONYMS, None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def admit(*events, admission=LIVE, received_at_ms=NOW_MS):
    return admission.admit(list(enumerate(events)), received_at_ms)


def record_of(admission=LIVE, **changed):
    admitted = admit(event(**changed), admission=admission)
    assert admitted.rejected == []
    return admitted.records[0]


def test_an_admitted_event_is_this_record():
    record = record_of(
        type="watch",
        author_id="author-1",
        request_id=request_name(77),
        position=3,
        session_id="visit-1",
        surface="search",
        region="eu",
        watch_ms=4_200,
        long_view=False,
        at=NOW_MS - 5,
    )
    assert record["event"].tobytes() == PSEUDONYMS.event("event-0")
    assert record["user"].tobytes() == PSEUDONYMS.user("user-1")
    assert record["session"] == PSEUDONYMS.session("visit-1")
    assert record["video"] == key64("video-1")
    assert record["author"] == key64("author-1")
    told = {name: record[name].item() for name in EVENT_RECORD.names[4:-1] if name != "session"}
    assert told == {
        "request": 77,
        "at_ms": NOW_MS - 5,
        "received_at_ms": NOW_MS,
        "watch_ms": 4_200,
        "position": 3,
        "kind": EVENT_CODES[EventType.WATCH],
        "surface": 2,
        "region": 2,
        "long_view": 1,
    }
    assert not record["spare"].any()


def test_what_an_event_leaves_out_is_told_apart_from_what_it_says():
    unsaid = record_of(type="search", video_id=None)
    for name in ("video", "author", "request", "session", "surface", "region", "long_view"):
        assert unsaid[name] == 0, name
    assert unsaid["position"] == -1
    assert record_of(position=0)["position"] == 0
    assert [record_of(long_view=said)["long_view"] for said in (None, False, True)] == [0, 1, 2]


@pytest.mark.parametrize("kind", EventType)
def test_every_type_of_event_is_admitted_under_its_code(kind):
    assert record_of(**valid_fields(kind))["kind"] == EVENT_CODES[kind]


@pytest.mark.parametrize("kind", EventType)
def test_an_event_needs_a_target_of_its_type(kind):
    admitted = admit(event(**valid_fields(kind) | {"video_id": None}))
    if kind is EventType.SEARCH:
        assert len(admitted.records) == 1
    else:
        (problem,) = admitted.rejected
        expected = "author" if kind is EventType.FOLLOW else "video"
        assert (problem.code, problem.field) == (f"{expected}_missing", f"{expected}_id")
        assert kind.value in problem.message


def test_a_follow_may_name_the_author_instead_of_a_video():
    record = record_of(type="follow", video_id=None, author_id="author-1")
    assert (record["video"], record["author"]) == (0, key64("author-1"))


def test_a_watch_needs_its_length_and_no_other_type_does():
    (problem,) = admit(event(type="watch")).rejected
    assert (problem.code, problem.field) == ("watch_missing", "watch_ms")
    assert record_of(type="watch", watch_ms=0)["watch_ms"] == 0
    assert record_of(type="like")["watch_ms"] == 0


def test_the_bounds_are_those_of_the_settings():
    declared = AdmissionSettings(max_ahead_s=7, max_age_s=11)
    assert Bounds.of(declared) == Bounds(max_ahead_ms=7_000, max_age_ms=11_000)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOW_MS + 300_001, "event_from_future"),
        (NOW_MS + 300_000, None),
        (NOW_MS, None),
        (NOW_MS - 86_400_000, None),
        (NOW_MS - 86_400_001, "event_too_old"),
    ],
)
def test_the_bounds_of_time_are_exact_to_the_millisecond(at, code):
    for said in (at, EPOCH + timedelta(milliseconds=at)):
        assert [problem.code for problem in admit(event(at=said)).rejected] == (
            [code] if code else []
        )


def test_seconds_sent_for_milliseconds_are_told_as_such():
    (seconds,) = admit(event(at=NOW_MS // 1000)).rejected
    (days,) = admit(event(at=NOW_MS - 10 * 86_400_000)).rejected
    assert seconds.hint == "at is in milliseconds since 1970; this looks like seconds"
    assert days.hint == "bring older history in with playbill import"


@laws
@given(
    ahead_ms=st.integers(1, 10**6),
    behind_ms=st.integers(1, 10**6),
    off=st.integers(-(10**7), 10**7),
)
def test_an_instant_within_bounds_is_kept_and_a_clock_ahead_counts_as_now(ahead_ms, behind_ms, off):
    bounded = Admission(SETTINGS, PSEUDONYMS, Bounds(ahead_ms, behind_ms))
    admitted = admit(event(at=NOW_MS + off), admission=bounded)
    if -behind_ms <= off <= ahead_ms:
        assert admitted.records["at_ms"].tolist() == [NOW_MS + min(off, 0)]
    else:
        (problem,) = admitted.rejected
        assert problem.code == ("event_from_future" if off > 0 else "event_too_old")
        assert problem.field == "at"


@laws
@example(at_ms=548_524_117_550, zone_min=0, us=0)  # the float of its seconds lies below it
@given(at_ms=st.integers(0, NOW_MS), zone_min=st.integers(-1_439, 1_439), us=st.integers(0, 999))
def test_an_instant_is_the_same_written_as_a_number_and_as_a_text(at_ms, zone_min, us):
    zone = timezone(timedelta(minutes=zone_min))
    said = (EPOCH + timedelta(milliseconds=at_ms, microseconds=us)).astimezone(zone)
    record = record_of(PAST, at=said.isoformat())
    assert record["at_ms"] == record_of(PAST, at=at_ms)["at_ms"] == at_ms


@pytest.mark.parametrize("at", ["1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00"])
def test_no_event_happened_before_1970_however_it_is_written(at):
    (problem,) = admit(event(at=at), admission=PAST).rejected
    assert (problem.code, problem.field) == ("invalid_event", "at")
    assert "1970" in problem.message


@laws
@given(at_ms=st.integers(NOW_MS - 10**6, NOW_MS + 10**6) | st.integers(0, 4_102_444_800_000))
def test_a_history_takes_any_instant_up_to_its_window(at_ms):
    assert record_of(PAST, at=at_ms)["at_ms"] == min(at_ms, NOW_MS)


@pytest.mark.parametrize("name", ["surface", "region"])
def test_a_surface_or_region_nobody_declared_is_named_with_the_nearest(name):
    misspelt = {"surface": "serach", "region": "word"}[name]
    meant = {"surface": "search", "region": "world"}[name]
    (problem,) = admit(event(**{name: misspelt})).rejected
    assert (problem.code, problem.field) == ("undeclared_value", name)
    assert f"Did you mean {meant!r}?" in problem.message


@pytest.mark.parametrize("request_id", ["", "f", "x" * 16, "-00000000000000f", "0x00000000000001"])
def test_a_request_id_that_is_none_is_refused_as_an_invalid_event(request_id):
    (problem,) = admit(event(request_id=request_id)).rejected
    assert (problem.code, problem.field) == ("invalid_event", "request_id")


def test_a_repeated_event_id_counts_once_and_the_first_is_taken():
    admitted = admit(event(1, type="like"), event(1, type="hide"), event(2), event(1))
    assert admitted.duplicates == 2
    assert admitted.records["kind"].tolist() == [
        EVENT_CODES[EventType.LIKE],
        EVENT_CODES[EventType.CLICK],
    ]


def test_a_good_event_is_taken_although_a_refused_one_had_its_id():
    admitted = admit(event(1, type="watch"), event(1, type="watch", watch_ms=5))
    assert (len(admitted.records), admitted.duplicates, len(admitted.rejected)) == (1, 0, 1)


def test_nothing_becomes_nothing():
    admitted = admit()
    assert (admitted.records.dtype, len(admitted.records)) == (EVENT_RECORD, 0)
    assert (admitted.duplicates, admitted.rejected) == (0, [])


good_or_bad = st.builds(
    lambda number, changed: fields(number, **changed),
    st.integers(0, 4),
    st.sampled_from(
        [
            {},
            {"type": "watch"},
            {"type": "follow", "video_id": None},
            {"video_id": None},
            {"region": "mars"},
            {"surface": "moon"},
            {"request_id": "no"},
            {"at": NOW_MS + 10**9},
            {"at": NOW_MS - 10**9},
            {"at": NOW_MS + 1},
        ]
    ),
)


@laws
@given(batch=st.lists(good_or_bad, max_size=12))
def test_every_event_ends_in_exactly_one_of_three_places(batch):
    events = [event(**told) for told in batch]
    admitted = admit(*events)
    refused = [problem.index for problem in admitted.rejected]
    assert len(admitted.records) + admitted.duplicates + len(refused) == len(batch)
    assert refused == sorted(set(refused))
    alone = [bool(admit(one).rejected) for one in events]
    assert refused == [index for index, bad in enumerate(alone) if bad]
    taken = {
        PSEUDONYMS.event(one.event_id) for one, bad in zip(events, alone, strict=True) if not bad
    }
    assert {record.tobytes() for record in admitted.records["event"]} == taken


words = st.text(
    st.characters(min_codepoint=48, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"]),
    min_size=4,
    max_size=40,
)


@laws
@given(
    ids=st.fixed_dictionaries(
        dict.fromkeys(("event_id", "user_id", "video_id", "author_id", "session_id"), words)
    ),
    query=words,
)
def test_nothing_raw_of_an_event_survives_in_its_record(ids, query):
    record = record_of(**ids, query=query, region="eu").tobytes()
    for raw in (*ids.values(), query):
        assert raw.encode() not in record
        assert raw.encode()[:4] not in record
        assert raw.encode("utf-16-le") not in record


@laws
@given(told=st.dictionaries(words, words, max_size=4), query=words)
def test_what_nobody_declared_and_what_is_dropped_leave_no_trace(told, query):
    undeclared = {f"x-{name}": value for name, value in told.items()}
    assert record_of(**undeclared, query=query) == record_of()


@laws
@given(name=words)
def test_the_same_name_in_another_role_is_another_key(name):
    record = record_of(event_id=name, user_id=name, video_id=name, session_id=name)
    keys = np.concatenate([record["event"], record["user"], [record["video"]]])
    assert len(set(keys.tolist())) == 5


@laws
@given(names=st.lists(words, min_size=1, max_size=64, unique=True), said=words)
def test_a_vocabulary_gives_each_declared_name_one_code_and_no_other_any(names, said):
    vocabulary = Vocabulary("surface", iter(names))
    codes = [vocabulary.code(name) for name in names]
    assert codes == list(range(1, len(names) + 1))
    assert [vocabulary.name(code) for code in codes] == names
    assert (vocabulary.code(None), vocabulary.name(0)) == (0, None)
    if said not in names:
        with pytest.raises(InvalidInput, match="is not declared") as caught:
            vocabulary.code(said)
        assert (caught.value.code, caught.value.field) == ("undeclared_value", "surface")
        assert "surfaces in playbill.toml" in caught.value.hint
