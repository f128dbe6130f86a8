import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_worlds import ListedHistory, RecordingSink, exposure, video, write_kuairand

from playbill.core import BrokenContract, InvalidInput
from playbill.importing import KuaiRand, Progress, load


def _event(at_ms, number=0, **changes):
    body = {"event_id": f"e{at_ms}-{number}", "type": "click", "user_id": "ann", "at": at_ms}
    return at_ms, body | changes


@given(
    instants=st.lists(st.integers(0, 50_000), min_size=1, max_size=60),
    window_ms=st.integers(1, 20_000),
)
def test_each_event_goes_into_the_one_window_that_ends_at_or_after_it(instants, window_ms):
    events = [_event(at_ms, number) for number, at_ms in enumerate(sorted(instants))]
    sink = RecordingSink()
    report = load(ListedHistory(events), sink, window_ms)
    windows = sink.windows()
    ends = [end_at_ms for end_at_ms, _ in windows]
    assert ends == sorted(set(ends))
    assert all(end_at_ms % window_ms == 0 for end_at_ms in ends)
    for end_at_ms, bodies in windows:
        assert all(end_at_ms - window_ms < body["at"] <= end_at_ms for body in bodies)
    assert [body for _, bodies in windows for body in bodies] == [body for _, body in events]
    assert report.events.sent == report.events.taken == report.events.read == len(events)
    assert (report.first_at_ms, report.last_at_ms) == (min(instants), max(instants))


def test_a_window_of_too_many_events_is_sent_in_parts_that_share_its_end(monkeypatch):
    monkeypatch.setattr(importlib.import_module("playbill.importing.load"), "MAX_WINDOW_EVENTS", 4)
    sink = RecordingSink()
    load(ListedHistory([_event(5, number) for number in range(10)]), sink, 1_000)
    assert [(end, len(bodies)) for end, bodies in sink.windows()] == [
        (1_000, 4),
        (1_000, 4),
        (1_000, 2),
    ]


def test_videos_and_users_are_stored_in_batches_just_before_the_first_event():
    videos = [{"video_id": str(n)} for n in range(2_500)]
    sink = RecordingSink()
    load(ListedHistory([_event(70_000)], videos, [{"user_id": "ann"}]), sink)
    told = [(kind, at_ms, len(bodies)) for kind, at_ms, bodies in sink.calls]
    assert told == [
        ("videos", 69_999, 1_000),
        ("videos", 69_999, 1_000),
        ("videos", 69_999, 500),
        ("users", 69_999, 1),
        ("events", 120_000, 1),
    ]


def test_what_the_sink_refuses_is_counted_and_the_first_five_are_shown_by_row():
    events = [_event(at_ms, type="like" if at_ms % 2 else "click") for at_ms in range(2_000, 2_020)]
    sink = RecordingSink(refuse=lambda body: "no likes here" if body["type"] == "like" else None)
    report = load(ListedHistory(events), sink, 7)
    assert (report.events.sent, report.events.refused, report.events.taken) == (20, 10, 10)
    (refusal,) = report.refusals
    assert (refusal.by, refusal.code, refusal.count) == ("sink", "invalid_event", 10)
    assert [example.row for example in refusal.examples] == [2, 4, 6, 8, 10]
    assert report.event_types == {"click": 10, "like": 10}


def test_a_refusal_that_names_the_viewer_is_reported_without_the_name():
    sink = RecordingSink(refuse=lambda body: f"user {body['user_id']} is odd")
    report = load(ListedHistory([_event(1)]), sink)
    assert "ann" not in "\n".join(report.lines())
    assert report.refusals[0].examples[0].message.startswith("A field is missing")


def test_a_set_without_events_is_refused_before_anything_is_stored():
    sink = RecordingSink()
    with pytest.raises(InvalidInput, match="holds no event"):
        load(ListedHistory([], [{"video_id": "1"}]), sink)
    assert sink.calls == []


def test_a_set_whose_rows_are_all_rejected_says_why(tmp_path):
    write_kuairand(tmp_path, [exposure(video_id=9)])
    with pytest.raises(InvalidInput, match="1 rejected, most of them as video_not_taken"):
        load(KuaiRand(tmp_path, history=False), RecordingSink())


def test_a_source_that_goes_back_in_time_is_our_bug():
    with pytest.raises(BrokenContract, match="received at 3 after one at 5"):
        load(ListedHistory([_event(5), _event(3)]), RecordingSink())


def test_a_window_has_a_length():
    with pytest.raises(InvalidInput, match="window_ms is 0; pass at least 1"):
        load(ListedHistory([_event(5)]), RecordingSink(), 0)


def test_progress_is_told_after_every_batch_with_the_total_where_it_is_known(tmp_path):
    write_kuairand(tmp_path, [exposure(is_click=1)])
    told = []
    load(KuaiRand(tmp_path, history=False), RecordingSink(), on_progress=told.append)
    assert told[-2:] == [
        Progress(kind="events", done=1, expected=2),
        Progress(kind="events", done=2, expected=2),
    ]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 5)), min_size=1),
    refused=st.sampled_from(["impression", "click", "watch", "none"]),
)
def test_the_counts_of_a_report_add_up(tmp_path_factory, rows, refused):
    folder = tmp_path_factory.mktemp("kuairand")
    exposures = [
        exposure(user_id=u, video_id=v, time_ms=10_000 + t, is_click=t % 2) for u, v, t in rows
    ]
    anchor = exposure(user_id=9, video_id=1, time_ms=20_000)
    write_kuairand(folder, [*exposures, anchor], [video(), video(video_id=2, video_duration="")])
    sink = RecordingSink(refuse=lambda body: "no" if body.get("type") == refused else None)
    report = load(KuaiRand(folder, history=False), sink)
    for kind in ("videos", "users", "events"):
        part = getattr(report, kind)
        assert part.sent == part.taken + part.refused
        told = {"reader": 0, "sink": 0}
        for refusal in report.refusals:
            if refusal.kind == kind:
                told[refusal.by] += refusal.count
        assert told == {"reader": part.rejected, "sink": part.refused}
    impressions = report.events.read - report.events.duplicates - report.events.rejected
    assert impressions == report.event_types["impression"]
    assert sum(report.event_types.values()) == report.events.sent
    assert report.videos.read == report.videos.sent + report.videos.rejected == 2


def test_the_report_reads_as_lines(tmp_path):
    write_kuairand(tmp_path, [exposure(), exposure(), exposure(video_id=5)])
    text = "\n".join(load(KuaiRand(tmp_path, history=False), RecordingSink()).lines())
    assert (
        "events             3           1           1           1           0           1" in text
    )
    assert "events from 2022-04-25 00:00:00 UTC to 2022-04-25 00:00:00 UTC" in text
    assert "events rejected by the reader: 1 video_not_taken" in text
    assert "  row 3: its video is not in the catalogue" in text
    assert "note: 1 exposures repeat an earlier one's user, video and instant" in text
