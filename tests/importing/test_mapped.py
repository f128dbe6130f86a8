import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_worlds import ONE_EACH, RecordingSink, mapped, play, write_jsonl

import playbill.importing
from playbill.contracts import Declared, Event, User, Video
from playbill.core import InvalidInput
from playbill.importing import Mapped, load

README = Path(playbill.importing.__file__).with_name("README.md")

NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""What Parquet holds where no zone is written."""


def test_the_example_of_the_readme_imports_whole(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "mapping.toml").write_text(example)
    film = {"id": 1, "channel": "c", "name": "Tram 8", "tags": "a|b|a||c|d|e", "length_s": 12.5}
    write_jsonl(
        tmp_path / "videos.jsonl",
        [film | {"published": "2026-01-01T00:00:00+01:00"}, {"id": 2, "name": "", "length_s": 3}],
    )
    users = pa.table({"uid": [7, 8], "country": ["fr", None], "unused": [0, 0]})
    pq.write_table(users, tmp_path / "users.parquet")
    plays = [
        {"uid": 7, "vid": 1, "started": 1_767_300_000, "seconds": 9.5, "liked": True},
        {"uid": 8, "vid": 1, "started": 1_767_299_990, "seconds": 0, "liked": "no"},
    ]
    write_jsonl(tmp_path / "plays.jsonl.gz", plays)
    source, sink = Mapped(tmp_path, tmp_path / "mapping.toml"), RecordingSink()
    report = load(source, sink)
    (_, _, videos), (_, _, viewers) = sink.calls[:2]
    assert videos[0] == {
        "video_id": "1",
        "author_id": "c",
        "title": "Tram 8",
        "topics": ["a", "b", "c", "d"],
        "duration_ms": 12_500,
        "created_at": 1_767_222_000_000,
    }
    assert videos[1] == {"video_id": "2", "topics": [], "duration_ms": 3_000}
    assert viewers == [{"user_id": "7", "region": "eu"}, {"user_id": "8", "region": "world"}]
    events = [body for _, bodies in sink.windows() for body in bodies]
    assert [(body["type"], body["user_id"], body["at"] % 100_000) for body in events] == [
        ("impression", "8", 90_000),
        ("impression", "7", 0),
        ("watch", "7", 60_000),
        ("like", "7", 60_000),
    ]
    assert events[2]["watch_ms"] == 9_500
    assert events[2]["event_id"] == "plays.jsonl.gz:1-2-watch"
    assert len({body["request_id"] for body in events if body["user_id"] == "7"}) == 1
    assert report.notes == ("videos.jsonl: 1 lists were cut to the contract's length",)
    assert source.declared() == Declared(regions=("eu", "world"), surfaces=("home",))
    msgspec.convert(videos[0], Video, strict=True)
    msgspec.convert(viewers, list[User], strict=True)
    msgspec.convert(events, list[Event], strict=True)


def test_one_event_a_row_takes_its_type_from_a_map(tmp_path):
    source = mapped(tmp_path, [play(20, "tap"), play(10, "view"), play(30, "poke")])
    assert [(at_ms, body["type"], body["event_id"]) for at_ms, body in source.events()] == [
        (10_000, "impression", "events.jsonl:2"),
        (20_000, "click", "events.jsonl:1"),
    ]
    (reason,) = source.tally.count("events").reasons.items()
    assert reason[0] == "value_not_mapped"
    assert reason[1].examples[0] == (
        3,
        "the value of column 'did' is not in the map of type; add it there, or a default",
    )


def test_bad_rows_are_rejected_by_line_and_never_show_a_viewer(tmp_path):
    rows = [play(10), [1], play("soon"), play(11, who=""), play(12, who={"id": "ann"})]
    source = mapped(tmp_path, rows)
    with (tmp_path / "events.jsonl").open("a") as lines:
        lines.write("\n{half\n")
    report = load(source, RecordingSink())
    told = {one.code: one.examples[0].row for one in report.refusals}
    assert told == {
        "line_not_object": 2,
        "at_unreadable": 3,
        "field_missing": 4,
        "user_id_unreadable": 5,
        "line_not_json": 7,
    }
    assert (report.events.read, report.events.rejected, report.events.taken) == (6, 5, 1)
    assert "ann" not in "\n".join(report.lines())


def test_a_row_that_gives_no_event_is_counted(tmp_path):
    text = """
        [events]
        path = "events.jsonl"
        fields = { user_id = "who", at = { column = "when", format = "epoch_ms" } }
        emit = [{ type = "like", when = "liked" }, { type = "share", when = "shared" }]
    """
    rows = [play(1, liked=0), play(2, liked=1.0, shared="yes"), play(3, shared="false")]
    source = mapped(tmp_path, rows, text=text)
    assert [(at_ms, body["type"]) for at_ms, body in source.events()] == [(2, "like"), (2, "share")]
    assert source.tally.count("events").reasons["no_event"].count == 2


def test_received_at_orders_events_that_the_client_dated_otherwise(tmp_path):
    text = """
        [events]
        path = "events.jsonl"
        [events.fields]
        user_id = "who"
        request_id = "feed"
        type = { constant = "search" }
        at = { column = "when", format = "epoch_s" }
        received_at = { column = "got", format = "rfc3339" }
    """
    rows = [
        play(5, got="1970-01-01T00:00:09Z", feed="00000000000000ff"),
        play(8, got="1970-01-01T00:00:08Z", feed="feed-1"),
        play(7, feed="feed-1"),
    ]
    events = list(mapped(tmp_path, rows, text=text).events())
    assert [(at_ms, body["at"]) for at_ms, body in events] == [
        (7_000, 7_000),
        (8_000, 8_000),
        (9_000, 5_000),
    ]
    assert not any("received_at" in body for _, body in events)
    assert events[0][1]["request_id"] == events[1][1]["request_id"]
    assert int(events[0][1]["request_id"], 16)
    assert all(body["request_id"][0] in "89abcdef" for _, body in events)
    assert events[2][1]["request_id"] != events[0][1]["request_id"]


def test_parquet_events_carry_native_times_and_need_their_columns(tmp_path):
    table = pa.table({"who": ["a"], "when": [NAIVE], "did": ["tap"], "vid": ["v"]})
    pq.write_table(table, tmp_path / "events.parquet")
    text = ONE_EACH.format(sorted="").replace("events.jsonl", "events.parquet")
    text = text.replace('{ column = "when", format = "epoch_s" }', '"when"')
    source = mapped(tmp_path, [], text=text)
    with pytest.raises(InvalidInput, match=r"events.parquet lacks 1 of 4 columns: 'what'"):
        source.events()
    (tmp_path / "mapping.toml").write_text(text.replace('"what"', '"vid"'))
    ((at_ms, body),) = Mapped(tmp_path, tmp_path / "mapping.toml").events()
    assert (at_ms, body["type"]) == (1_767_225_600_000, "click")


def test_seconds_without_a_format_are_not_taken_for_milliseconds(tmp_path):
    text = ONE_EACH.format(sorted="").replace(', format = "epoch_s"', "")
    source = mapped(tmp_path, [play(1_767_300_000)], text=text)
    with pytest.raises(InvalidInput, match='at looks like seconds; say format = "epoch_s"'):
        load(source, RecordingSink())


def test_a_column_that_never_occurs_becomes_a_note(tmp_path):
    source = mapped(tmp_path, [{"who": 1, "whta": "v", "when": 1, "did": "tap"}])
    report = load(source, RecordingSink())
    assert report.notes == ("events.jsonl: column 'what' never occurs. Did you mean 'whta'?",)


def test_more_regions_than_can_be_declared_are_refused(tmp_path):
    text = ONE_EACH.format(sorted="") + 'region = "where"\nsurface = "did"\n'
    source = mapped(tmp_path, [play(1, "tap", where=f"r{n}") for n in range(33)], text=text)
    with pytest.raises(InvalidInput, match="names 33 regions; at most 32"):
        source.declared()
    rows = [play(1, "tap", where="b"), play(1, "tap", where="a"), play(1, "view", where="b")]
    assert mapped(tmp_path, rows, text=text).declared() == Declared(
        regions=("b", "a"), surfaces=("tap", "view")
    )


@settings(max_examples=30, deadline=None)
@given(whens=st.lists(st.integers(0, 100_000), min_size=1, max_size=30))
def test_every_usable_row_comes_once_and_in_order(tmp_path_factory, whens):
    source = mapped(tmp_path_factory.mktemp("mapped"), [play(when, "tap") for when in whens])
    events = list(source.events())
    assert [at_ms for at_ms, _ in events] == sorted(when * 1_000 for when in whens)
    assert len({body["event_id"] for _, body in events}) == len(whens)
    assert source.tally.count("events").read == len(whens)
