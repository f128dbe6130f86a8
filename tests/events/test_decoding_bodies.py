import json
import re
from contextlib import suppress

import msgspec
import pytest
from event_worlds import NOW_MS, body, body_of, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import MAX_EVENTS_PER_BATCH, Event
from playbill.core import InvalidInput
from playbill.events import decode_events_body
from playbill.events.decoding import problem_of

laws = settings(max_examples=60, deadline=None, derandomize=True)
MAX_BYTES = 16_384
GOOD = msgspec.json.encode(fields())


def with_text(name, value):
    """Return the text of a good event in which one field has this JSON text."""
    return msgspec.json.encode(fields(**{name: 0})).replace(
        f'"{name}":0'.encode(), f'"{name}":'.encode() + value
    )


BAD = {
    "a number": (b"5", "Expected `object`, got `int`", None),
    "null": (b"null", "Expected `object`, got `null`", None),
    "a text": (b'"click"', "Expected `object`, got `str`", None),
    "a list": (b"[]", "Expected `object`, got `array`", None),
    "nothing in it": (b"{}", "missing required field `event_id`", "event_id"),
    "no such type": (
        with_text("type", b'"wach"'),
        "types are impression, click, watch",
        "type",
    ),
    "nearly a type": (with_text("type", b'"wach"'), "Did you mean 'watch'?", "type"),
    "no user": (with_text("user_id", b"null"), "Expected `str`, got `null`", "user_id"),
    "a number for a name": (
        with_text("video_id", b"7"),
        "Expected `str | null`, got `int`",
        "video_id",
    ),
    "an unknown type": (with_text("type", b'"glance"'), "Invalid enum value 'glance'", "type"),
    "an empty name": (with_text("event_id", b'""'), "length >= 1", "event_id"),
    "a huge name": (with_text("event_id", b'"' + b"x" * 129 + b'"'), "length <= 128", "event_id"),
    "a fraction": (with_text("at", b"1.5"), "Expected `int | datetime`, got `float`", "at"),
    "a number beyond all": (with_text("at", b"1e400"), "out of range", "at"),
    "a number of 400 digits": (with_text("at", b"9" * 400), "", "at"),
    "before 1970": (with_text("at", b"-1"), "`int` >= 0", "at"),
    "no zone": (with_text("at", b'"2026-01-02T03:04:05"'), "timezone", "at"),
    "no such day": (with_text("at", b'"2026-02-30T00:00:00Z"'), "datetime", "at"),
    "a place before the first": (with_text("position", b"-1"), "`int` >= 0", "position"),
    "not UTF-8": (with_text("user_id", b'"\xff\xfe"'), "not UTF-8", None),
    "half of a character": (with_text("user_id", rb'"\ud83d"'), "malformed", None),
    "not a number": (with_text("watch_ms", b"NaN"), "malformed", None),
    "an infinity": (with_text("watch_ms", b"-Infinity"), "malformed", None),
    "a deep nest in place of a name": (
        with_text("user_id", b"[" * 200 + b"]" * 200),
        "Expected `str`, got `array`",
        "user_id",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_event_is_named_by_its_index_with_the_reason_and_the_others_are_taken(what):
    text, message, field = BAD[what]
    decoded = decode_events_body(body_of(GOOD, text, GOOD), MAX_BYTES)
    good = msgspec.json.decode(GOOD, type=Event)
    assert decoded.events == [(0, good), (2, good)]
    ((problem, _),) = decoded.refused
    assert (problem.index, problem.code, problem.field) == (1, "invalid_event", field)
    assert message in problem.message
    assert "`$" not in problem.message


@pytest.mark.parametrize("what", [what for what in BAD if "malformed" not in BAD[what][1]])
def test_a_refused_event_keeps_its_text_to_the_byte(what):
    text = BAD[what][0]
    ((_, kept),) = decode_events_body(body_of(GOOD, text), MAX_BYTES).refused
    assert kept == text


@pytest.mark.parametrize(
    ("sent", "code", "message", "field"),
    [
        (b"", "invalid_json", "truncated", None),
        (b"{", "invalid_json", "truncated", None),
        (b'{"events":[', "invalid_json", "truncated", None),
        (b'{"events":[]}x', "invalid_json", "trailing", None),
        (b"\xff", "invalid_json", "malformed", None),
        (b"\xef\xbb\xbf" + body(fields()), "invalid_json", "malformed", None),
        (body(fields()).decode().encode("utf-16"), "invalid_json", "malformed", None),
        (b"[" * 100_000, "invalid_input", "got `array`", None),
        (b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json", "deeply", None),
        (body_of(GOOD, b'{"x":' + b"[" * 100_000 + b"}"), "invalid_json", "deeply", None),
        (b'{"x":NaN,"events":{"0":1}}', "invalid_json", "malformed", None),
        (b'{"x":NaN,"events":"abc"}', "invalid_json", "malformed", None),
        (b"[]", "invalid_input", "got `array`", None),
        (b"5", "invalid_input", "got `int`", None),
        (b"{}", "invalid_input", "missing required field `events`", "events"),
        (b'{"Events":[]}', "invalid_input", "missing required field `events`", "events"),
        (b'{"events":null}', "invalid_input", "got `null`", "events"),
        (b'{"events":{"0":{}}}', "invalid_input", "got `object`", "events"),
        (b'{"events":{"0":NaN}}', "invalid_input", "got `object`", "events"),
        (b'{"others":[NaN]}', "invalid_json", "malformed", None),
        (b'[{"events":[NaN]}]', "invalid_input", "got `array`", None),
    ],
)
def test_a_body_of_another_shape_is_refused_whole_with_what_to_send(sent, code, message, field):
    with pytest.raises(InvalidInput, match=re.escape(message)) as caught:
        decode_events_body(sent, MAX_BYTES)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.hint.startswith("send ")


def test_an_empty_batch_is_a_batch():
    decoded = decode_events_body(b'{"events":[]}', MAX_BYTES)
    assert (decoded.events, decoded.refused) == ([], [])


@pytest.mark.parametrize("bad_one", [False, True])
def test_a_batch_holds_1000_events_and_not_one_more(bad_one):
    texts = [GOOD] * (MAX_EVENTS_PER_BATCH - 1) + [b"5" if bad_one else GOOD]
    decoded = decode_events_body(body_of(*texts), MAX_BYTES)
    assert len(decoded.events) + len(decoded.refused) == 1_000
    with pytest.raises(InvalidInput, match=r"has 1,001 events; at most 1,000 fit") as caught:
        decode_events_body(body_of(*texts, GOOD), MAX_BYTES)
    assert (caught.value.field, caught.value.hint) == ("events", "send several batches")


def test_the_last_of_two_equal_keys_counts_with_and_without_a_bad_neighbour():
    twice = GOOD[:-1] + b',"user_id":"user-2"}'
    alone = decode_events_body(body_of(twice), MAX_BYTES).events[0][1]
    beside = decode_events_body(body_of(twice, b"5"), MAX_BYTES).events[0][1]
    assert alone.user_id == beside.user_id == "user-2"


def test_undeclared_fields_are_passed_over_whatever_they_hold():
    odd = [b'"\xff"', b"[" * 500 + b"]" * 500, b'{"a":{"b":null}}', b"1e400", b"9" * 400]
    texts = [GOOD[:-1] + b',"x":' + value + b"}" for value in odd]
    decoded = decode_events_body(body_of(*texts), MAX_BYTES)
    assert [event for _, event in decoded.events] == [msgspec.json.decode(GOOD, type=Event)] * 5


@pytest.mark.parametrize("bad_one", [False, True])
def test_ten_megabytes_are_decoded(bad_one):
    large = [GOOD[:-1] + b',"x":"' + b"y" * 10_200 + b'"}'] * MAX_EVENTS_PER_BATCH
    sent = body_of(*large[bad_one:], *([b"{}"] if bad_one else []))
    assert len(sent) > 10_000_000
    decoded = decode_events_body(sent, MAX_BYTES)
    assert len(decoded.events) == 1_000 - bad_one


def test_a_bad_event_too_large_to_keep_is_named_with_its_size_and_not_kept():
    exact = b'{"x":"' + b"y" * (MAX_BYTES - 8) + b'"}'
    over = b'{"x":"' + b"y" * (MAX_BYTES - 7) + b'"}'
    decoded = decode_events_body(body_of(exact, over), MAX_BYTES)
    (kept, text), (dropped, nothing) = decoded.refused
    assert (kept.code, text) == ("invalid_event", exact)
    assert (dropped.code, dropped.field, nothing) == ("event_too_large", None, b"")
    assert "has 16,385 bytes; at most 16,384 are kept" in dropped.message


numbers = st.integers(-(1 << 70), 1 << 70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | st.booleans() | numbers | st.text(max_size=140) | st.lists(numbers, max_size=2)
loose_events = st.one_of(
    st.just(fields()),
    st.builds(
        lambda name, value: fields() | {name: value}, st.sampled_from(list(fields())), values
    ),
    st.dictionaries(st.sampled_from([*fields(), "position", "watch_ms"]), values),
    values,
)


@laws
@given(events=st.lists(loose_events, max_size=6))
def test_each_event_is_judged_as_if_it_came_alone(events):
    texts = [json.dumps(event).encode() for event in events]
    decoded = decode_events_body(body_of(*texts), MAX_BYTES)
    taken, refused = (
        dict(decoded.events),
        {problem.index: text for problem, text in decoded.refused},
    )
    assert sorted([*taken, *refused]) == list(range(len(events)))
    for index, text in enumerate(texts):
        try:
            assert taken.get(index) == msgspec.json.decode(text, type=Event)
        except msgspec.ValidationError:
            assert refused[index] == text


@laws
@given(sent=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_events_or_invalid_input(sent):
    for text in (sent, body_of(sent), body_of(GOOD, sent, GOOD)):
        with suppress(InvalidInput):
            decoded = decode_events_body(text, MAX_BYTES)
            assert all(problem.message for problem, _ in decoded.refused)


@laws
@given(torn=st.integers(0, 400))
def test_a_torn_body_is_never_half_taken(torn):
    whole = body(fields(1), fields(2), fields(3, at=NOW_MS - 1))
    with pytest.raises(InvalidInput, match=r".") as caught:
        decode_events_body(whole[: torn % len(whole)], MAX_BYTES)
    assert caught.value.code == "invalid_json"


def test_a_problem_names_the_path_that_the_parser_points_at():
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body(fields(position=-1)), type=dict[str, list[Event]])
    message, field = problem_of(caught.value)
    assert message == "Expected `int` >= 0"
    assert field.endswith("position")
    assert problem_of(RecursionError()) == ("nested too deeply", None)
