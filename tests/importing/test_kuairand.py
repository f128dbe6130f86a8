import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from importing_worlds import DAY, RecordingSink, exposure, video, watched, write_kuairand

from playbill.app.verbs import Home
from playbill.contracts import Event, User, Video
from playbill.core import NotFound
from playbill.importing import KuaiRand, load


def test_a_video_carries_its_tags_upload_day_and_a_readable_title(tmp_path):
    write_kuairand(tmp_path, [exposure()], [video(tag="12,5,12,7,8,9"), video(video_id=2, tag="")])
    first, second = KuaiRand(tmp_path).videos()
    assert first == {
        "video_id": "1",
        "author_id": "70",
        "title": "KuaiRand video 1 · tag-12",
        "topics": ["tag-12", "tag-5", "tag-7", "tag-8"],
        "duration_ms": 30_000,
        "created_at": 1_649_548_800_000,
    }
    assert (second["title"], second["topics"]) == ("KuaiRand video 2", [])
    assert msgspec.convert(first, Video).created_at == 1_649_548_800_000


def test_a_missing_duration_comes_from_an_exposure_or_ten_seconds_stand_in(tmp_path):
    shown = [exposure(video_id=1), exposure(video_id=2, duration_ms=41_000)]
    write_kuairand(
        tmp_path, shown, [video(video_duration=""), video(video_id=2, video_duration="")]
    )
    source = KuaiRand(tmp_path, history=False)
    assert [(body["video_id"], body["duration_ms"]) for body in source.videos()] == [
        ("1", 10_000),
        ("2", 41_000),
    ]
    assert "10 s stand in" in source.tally.count("videos").notes[0]
    assert {body["video_id"] for _, body in source.events()} == {"1", "2"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"video_id": "x"}, "video_id_unreadable"),
        ({"author_id": ""}, "author_missing"),
        ({"upload_dt": "10 April"}, "upload_dt_unreadable"),
    ],
)
def test_a_bad_video_is_rejected_with_its_reason(tmp_path, changes, code):
    write_kuairand(tmp_path, [exposure()], [video(video_id=4), video(**changes)])
    source = KuaiRand(tmp_path)
    assert [body["video_id"] for body in source.videos()] == ["4"]
    assert list(source.tally.count("videos").reasons) == [code]


def test_users_are_ids_alone_and_count_once(tmp_path):
    write_kuairand(tmp_path, [exposure(user_id=3), exposure(user_id=8)])
    with (tmp_path / "users.csv").open("a", encoding="utf-8") as lines:
        lines.write("3,1\n-,1\n")
    source = KuaiRand(tmp_path)
    assert list(source.users()) == [{"user_id": "3"}, {"user_id": "8"}]
    count = source.tally.count("users")
    assert (count.read, count.duplicates, count.rejected) == (4, 1, 1)
    assert msgspec.convert({"user_id": "3"}, User).user_id == "3"


def test_an_exposure_becomes_an_impression_and_its_outcomes_when_the_play_has_ended(tmp_path):
    did = dict.fromkeys(
        ("is_click", "is_like", "is_follow", "is_comment", "is_forward", "is_hate"), 1
    )
    write_kuairand(tmp_path, [exposure(play_time_ms=61_500, tab=4, long_view=1, **did)])
    events = list(KuaiRand(tmp_path, history=False).events())
    assert [(at_ms - DAY, body["type"]) for at_ms, body in events] == [
        (0, "impression"),
        (61_500, "click"),
        (61_500, "watch"),
        (61_500, "like"),
        (61_500, "share"),
        (61_500, "comment"),
        (61_500, "follow"),
        (61_500, "hide"),
    ]
    watch = events[2][1]
    assert watch == {
        "event_id": "kr-1-w",
        "type": "watch",
        "user_id": "7",
        "video_id": "1",
        "request_id": events[0][1]["request_id"],
        "at": DAY + 61_500,
        "region": "world",
        "surface": "tab-4",
        "watch_ms": 61_500,
        "long_view": True,
    }
    assert "position" not in events[0][1]


def test_a_short_play_is_known_after_a_minute_and_no_play_is_no_watch(tmp_path):
    write_kuairand(tmp_path, [exposure(play_time_ms=900), exposure(user_id=8)])
    events = [body for _, body in KuaiRand(tmp_path, history=False).events()]
    assert [body["type"] for body in events] == ["impression", "impression", "watch"]
    assert (events[2]["at"], events[2]["long_view"]) == (DAY + 60_000, False)


def test_the_first_of_equal_exposures_is_kept(tmp_path):
    twice = [exposure(is_click=1), exposure(tab=2), exposure(time_ms=DAY + 1), exposure()]
    write_kuairand(tmp_path, twice)
    source = KuaiRand(tmp_path, history=False)
    types = Counter(body["type"] for _, body in source.events())
    assert types == {"impression": 2, "click": 1}
    assert source.tally.count("events").duplicates == 2
    assert "2 exposures repeat" in source.tally.count("events").notes[0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"user_id": None}, "cell_empty"),
        ({"video_id": -1}, "id_negative"),
        ({"time_ms": -5}, "instant_out_of_range"),
        ({"tab": 15}, "tab_unknown"),
        ({"play_time_ms": 86_400_001}, "play_out_of_range"),
    ],
)
def test_a_bad_exposure_is_rejected_with_its_reason(tmp_path, changes, code):
    write_kuairand(tmp_path, [exposure(), exposure(**changes)], [video()])
    source = KuaiRand(tmp_path, history=False)
    assert len(list(source.events())) == 1
    reasons = source.tally.count("events").reasons
    assert {name: reason.examples[0][0] for name, reason in reasons.items()} == {code: 2}


def test_history_keeps_the_order_and_spaces_made_up_times_before_the_last_one(tmp_path):
    videos = [video(video_id=n, video_duration=str(1_000.0 * 10**n)) for n in (1, 2)]
    past = [
        watched(5, DAY - 50, [1, 2, 1], like=[2], long=[1]),
        watched(6, DAY - 70, [2], long=[2]),
    ]
    write_kuairand(tmp_path, [exposure()], videos, past)
    source = KuaiRand(tmp_path)
    events = [body for _, body in source.events() if body["event_id"].startswith("kr-h")]
    told = [(body["at"] - DAY, body["type"], body["user_id"], body["video_id"]) for body in events]
    assert told == [
        (-1_200_050, "impression", "5", "1"),
        (-1_140_050, "click", "5", "1"),
        (-600_050, "impression", "5", "2"),
        (-540_050, "click", "5", "2"),
        (-540_050, "like", "5", "2"),
        (-70, "impression", "6", "2"),
        (-50, "impression", "5", "1"),
        (59_930, "click", "6", "2"),
        (59_930, "watch", "6", "2"),
        (59_950, "click", "5", "1"),
        (59_950, "watch", "5", "1"),
    ]
    watches = [(body["watch_ms"], body["long_view"]) for body in events if body["type"] == "watch"]
    assert watches == [(18_000, True), (10_000, True)]
    assert not any("surface" in body for body in events)
    note = source.tally.count("events").notes[-1]
    assert "4 watches; times are made up; order is real" in note
    assert "0 likes and long views of other videos" in note


def test_history_of_rejected_videos_is_counted_apart(tmp_path):
    write_kuairand(tmp_path, [exposure()], history=[watched(5, DAY, [9, 1, 9], long=[3])])
    source = KuaiRand(tmp_path)
    assert sum(body["event_id"].startswith("kr-h") for _, body in source.events()) == 2
    count = source.tally.count("events")
    assert count.reasons["history_video_not_taken"].examples == [
        (1, "its video is not in the catalogue, or was rejected there"),
        (3, "its video is not in the catalogue, or was rejected there"),
    ]
    assert "1 likes and long views of other videos" in count.notes[-1]


def test_history_can_be_left_out_and_must_be_there_otherwise(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    assert len(list(KuaiRand(tmp_path, history=False).events())) == 1
    with pytest.raises(NotFound, match="holds 0 files user_history") as caught:
        KuaiRand(tmp_path).events()
    assert "history=False" in caught.value.hint


@pytest.mark.data
def test_the_real_set_imports_whole():
    source = KuaiRand(Path(os.environ["PLAYBILL_KUAIRAND"]), history=False)
    sink = RecordingSink()
    report = load(source, sink)
    assert (report.videos.taken, report.users.taken) == (7_583, 27_285)
    assert (report.events.read, report.events.duplicates) == (184_470, 5_032)
    assert report.event_types["impression"] == report.events.read - 5_032 - report.events.rejected
    for end_at_ms, bodies in sink.windows():
        for body in bodies:
            msgspec.convert(body, Event, strict=True)
            assert end_at_ms - 60_000 < body["at"] <= end_at_ms
    assert source.declared().surfaces[14] == "tab-14"


@pytest.mark.parametrize("history", [True, False])
def test_china_s_days_are_declared_and_made_up_times_teach_nothing(tmp_path, history):
    write_kuairand(tmp_path, [exposure()])
    home = Home(tmp_path / "home")
    home.declare(KuaiRand(tmp_path, history=history))
    training = home.settings.training
    assert training.day_offset_h == 8
    assert training.rows_from == (datetime(2022, 4, 24, 16, tzinfo=UTC) if history else None)


def test_what_a_home_says_itself_is_not_declared_over(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    home = Home(tmp_path / "home")
    home.configure(**{"training.day_offset_h": -5})
    assert "training.day_offset_h" not in home.declare(KuaiRand(tmp_path))
    assert home.settings.training.day_offset_h == -5
