import string

import msgspec
import pytest
from event_worlds import KEYS, NOW_MS, SEALER, SETTINGS, body, body_of, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import Batch, BatchKind, RejectedEvent
from playbill.core import DependencyUnavailable, FixedClock
from playbill.events import Collector, DeadLetters, GroupCommit, MemoryEventLog
from playbill.events.adapters.sqlite_log import SqliteEventLog
from playbill.events.dead_letters import repaired_event
from playbill.privacy import MemoryKeyStore, Pseudonyms, Sealer

laws = settings(max_examples=40, deadline=None, derandomize=True)
SECRET_WORD = "maria.lopez@example.org"


def problem(index=0, code="invalid_event", message="wrong", field=None):
    return RejectedEvent(index=index, code=code, message=message, field=field)


def keep(log, *refused, partition="dead-worker-1", at_ms=NOW_MS):
    """Store refused events the way a collector does; return where they lie."""
    writer = log.writer(partition)
    offset = writer.append([DeadLetters(log, SEALER).batch(list(refused))], at_ms)
    writer.close()
    return [f"{partition}/{offset}/{place}" for place in range(len(refused))]


problems = st.builds(
    problem,
    code=st.sampled_from(["invalid_event", "event_too_old", "event_too_large"]),
    message=st.text(max_size=30),
    field=st.none() | st.text(max_size=10),
)


@laws
@given(refused=st.lists(st.tuples(problems, st.binary(max_size=60)), max_size=6))
def test_a_refused_event_waits_with_its_reason_and_its_text(refused):
    log = MemoryEventLog()
    ids = keep(log, *refused)
    letters = list(DeadLetters(log, SEALER).waiting())
    assert [letter.id for letter in letters] == ids
    for letter, (told, text) in zip(letters, refused, strict=True):
        assert (letter.code, letter.message, letter.field) == (told.code, told.message, told.field)
        assert letter.text == text.decode("utf-8", "replace")
        assert letter.refused_at_ms == NOW_MS


@laws
@given(word=st.text(string.ascii_letters + string.digits, min_size=5, max_size=40))
def test_neither_the_text_nor_the_message_of_a_letter_lies_open(word):
    batch = DeadLetters(MemoryEventLog(), SEALER).batch([(problem(message=word), word.encode())])
    assert (batch.kind, batch.count) == (BatchKind.DEAD, 1)
    assert word.encode() not in batch.payload


def test_no_file_of_the_log_holds_what_a_refused_event_said_of_a_person(tmp_path):
    log = SqliteEventLog(tmp_path)
    clock = FixedClock(NOW_MS)
    collector = Collector(
        SETTINGS,
        Pseudonyms(KEYS.secret("pseudonym")),
        GroupCommit(log.writer("worker-1"), clock, 100),
        GroupCommit(log.writer("catalogue-worker-1"), clock, 100),
        GroupCommit(log.writer("takedowns-worker-1"), clock, 100),
        GroupCommit(log.writer("dead-worker-1"), clock, 100),
        DeadLetters(log, SEALER),
        clock,
    )
    sent = body_of(
        msgspec.json.encode(fields(1, user_id=SECRET_WORD)),
        msgspec.json.encode(fields(2, user_id=SECRET_WORD, type=SECRET_WORD)),
        msgspec.json.encode(fields(3, user_id=SECRET_WORD, region=SECRET_WORD)),
        msgspec.json.encode(fields(4, at=-1, query=SECRET_WORD)),
    )
    reply, durable = collector.take_events(sent)
    for future in durable:
        future.result(timeout=30)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    collector.close()
    files += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (reply.accepted, len(reply.rejected)) == (1, 3)
    assert len(files) > 10_000
    for known in (SECRET_WORD, "maria", "lopez", "example.org", "event-1", "video-1"):
        assert known.encode() not in files
    assert sum(SECRET_WORD in letter.text for letter in DeadLetters(log, SEALER).waiting()) == 3
    log.close()


def test_letters_are_read_oldest_first_partition_by_partition():
    log = MemoryEventLog()
    second = keep(log, (problem(), b"b"), (problem(), b"c"), partition="dead-worker-2")
    first = keep(log, (problem(), b"a"))
    third = keep(log, (problem(), b"d"), partition="dead-worker-2")
    waiting = [letter.id for letter in DeadLetters(log, SEALER).waiting()]
    assert waiting == [*first, *second, *third]


def test_only_dead_letter_partitions_are_read():
    log = MemoryEventLog()
    writer = log.writer("worker-1")
    writer.append([Batch(BatchKind.EVENTS, 1, b"not a letter")], NOW_MS)
    assert list(DeadLetters(log, SEALER).waiting()) == []


@laws
@given(sizes=st.lists(st.integers(0, 3), max_size=5), repaired=st.sets(st.integers(0, 14)))
def test_a_repaired_letter_waits_no_longer_and_every_other_does(sizes, repaired):
    log = MemoryEventLog()
    letters = DeadLetters(log, SEALER)
    ids = [
        letter
        for number, size in enumerate(sizes)
        for letter in keep(log, *[(problem(), b"x")] * size, partition=f"dead-worker-{number % 2}")
    ]
    done = [letter for place, letter in enumerate(ids) if place in repaired]
    writer = log.writer("dead-repair")
    batch = letters.repaired_batch(done)
    assert (batch.kind, batch.count) == (BatchKind.DEAD_REPAIRED, len(done))
    writer.append([batch], NOW_MS)
    assert {letter.id for letter in letters.waiting()} == set(ids) - set(done)


def test_many_pages_of_letters_are_all_read():
    log = MemoryEventLog()
    letters = DeadLetters(log, SEALER)
    writer = log.writer("dead-worker-1")
    batches = [letters.batch([(problem(), b"%d" % number)]) for number in range(600)]
    writer.append(batches, NOW_MS)
    writer.append([letters.repaired_batch(["dead-worker-1/1/0", "dead-worker-1/600/0"])], NOW_MS)
    assert [letter.text for letter in letters.waiting()] == [str(n) for n in range(1, 599)]


def test_without_the_key_a_letter_stays_closed():
    log = MemoryEventLog()
    keep(log, (problem(), b"x"))
    stranger = DeadLetters(log, Sealer(MemoryKeyStore(b"another").secret("dead-letters")))
    with pytest.raises(DependencyUnavailable, match="does not open") as caught:
        list(stranger.waiting())
    assert "key folder" in caught.value.hint


def letter_of(text):
    log = MemoryEventLog()
    keep(log, (problem(), text))
    (letter,) = DeadLetters(log, SEALER).waiting()
    return letter


def test_a_letter_goes_back_as_the_repair_says():
    letter = letter_of(msgspec.json.encode(fields(type="glance", note="kept")))
    text = repaired_event(letter, lambda told: told | {"type": "click"})
    assert msgspec.json.decode(text) == fields(type="click", note="kept")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"5",
        b"[]",
        b'{"a":',
        b'{"a":"\xff',
        rb'{"a":"\ud83d"}',
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=["empty", "number", "list", "torn", "bytes", "half", "deep"],
)
def test_a_letter_in_which_nothing_can_be_set_says_so(text):
    with pytest.raises(msgspec.DecodeError):
        repaired_event(letter_of(text), dict)


def test_a_body_of_only_bad_events_becomes_one_batch_of_letters():
    refused = [(problem(index), body()) for index in range(3)]
    assert DeadLetters(MemoryEventLog(), SEALER).batch(refused).count == 3
