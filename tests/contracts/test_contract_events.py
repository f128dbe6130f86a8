import msgspec
import pytest

from playbill.contracts import (
    EVENT_CODES,
    MAX_EVENTS_PER_BATCH,
    PROBLEMS,
    REJECTIONS,
    TIER_CODES,
    Event,
    EventType,
    Tier,
)
from playbill.privacy import EVENT_FIELDS, Handling

GOOD = {"event_id": "e1", "type": "click", "user_id": "u1", "video_id": "v1", "at": 1}

CODES_IN_LOGS = {
    "impression": 1,
    "click": 2,
    "watch": 3,
    "like": 4,
    "share": 5,
    "comment": 6,
    "follow": 7,
    "skip": 8,
    "hide": 9,
    "report": 10,
    "search": 11,
}
"""What logs in the field hold. Add to its end; never change a line."""

TIERS_IN_LOGS = {"full": 0, "light": 1, "cached": 2, "popular": 3, "static": 4}
"""What impression records in the field hold. Add to its end; never change a line."""


def test_event_codes_are_only_ever_appended():
    codes = {kind.value: code for kind, code in EVENT_CODES.items()}
    assert dict(list(codes.items())[: len(CODES_IN_LOGS)]) == CODES_IN_LOGS
    assert list(codes.values()) == list(range(1, len(EventType) + 1))
    assert max(codes.values()) < 256


def test_tier_codes_are_only_ever_appended():
    codes = {tier.value: code for tier, code in TIER_CODES.items()}
    assert dict(list(codes.items())[: len(TIERS_IN_LOGS)]) == TIERS_IN_LOGS
    assert list(codes.values()) == list(range(len(Tier)))


def test_every_field_of_an_event_has_a_fate():
    assert set(EVENT_FIELDS) == {field.name for field in msgspec.structs.fields(Event)}


def test_every_id_of_an_event_is_hashed_or_pseudonymised():
    ids = {name for name in EVENT_FIELDS if name.endswith("_id")} - {"request_id"}
    assert ids >= {"user_id", "event_id", "session_id", "video_id", "author_id"}
    assert {name for name in ids if EVENT_FIELDS[name] is Handling.KEEP} == set()
    for name in ("user_id", "event_id", "session_id"):
        assert EVENT_FIELDS[name] is Handling.PSEUDONYM


def test_what_people_type_is_dropped():
    assert EVENT_FIELDS["query"] is Handling.DROP


def test_undeclared_fields_are_taken_and_forgotten():
    event = msgspec.convert({**GOOD, "ip": "203.0.113.9"}, Event)
    assert event == msgspec.convert(GOOD, Event)
    assert b"203.0.113.9" not in msgspec.json.encode(event)


@pytest.mark.parametrize("name", ["event_id", "type", "user_id", "at"])
def test_an_event_needs_its_id_its_type_its_user_and_its_instant(name):
    fields = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{name}`"):
        msgspec.convert(fields, Event)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("at", 0, 4_102_444_800_000),
        ("position", 0, 9_999),
        ("watch_ms", 0, 86_400_000),
    ],
)
def test_numbers_of_an_event_have_ranges_that_include_their_edges(name, least, most):
    for inside in (least, most):
        assert getattr(msgspec.convert({**GOOD, name: inside}, Event), name) == inside
    for outside in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError, match=rf"{name}"):
            msgspec.convert({**GOOD, name: outside}, Event)


@pytest.mark.parametrize(
    "name", ["event_id", "user_id", "video_id", "author_id", "session_id", "surface", "region"]
)
def test_names_have_1_to_128_characters(name):
    for good in ("x", "x" * 128):
        assert getattr(msgspec.convert({**GOOD, name: good}, Event), name) == good
    for bad in ("", "x" * 129):
        with pytest.raises(msgspec.ValidationError, match=rf"length .*{name}"):
            msgspec.convert({**GOOD, name: bad}, Event)


def test_an_instant_needs_its_zone():
    zoned = {**GOOD, "at": "2026-01-02T03:04:05+01:00"}
    assert msgspec.convert(zoned, Event).at.utcoffset().total_seconds() == 3_600
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.convert({**GOOD, "at": "2026-01-02T03:04:05"}, Event)


def test_every_problem_has_a_client_or_server_status_and_a_sentence():
    assert all(400 <= status < 600 for status, _ in PROBLEMS.values())
    sentences = [*REJECTIONS.values(), *(words for _, words in PROBLEMS.values())]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_a_batch_is_bounded():
    assert MAX_EVENTS_PER_BATCH == 1_000
