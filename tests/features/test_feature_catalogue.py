"""Videos posted, posted again, taken down; and what happens when there is no room."""

import msgspec
import numpy as np
import pytest

from laws.feature_stories import open_catalogue
from laws.feature_worlds import SETTINGS, World, video
from playbill.contracts import StoredVideo, User
from playbill.contracts.settings import StateSettings
from playbill.core import HOUR_MS, SECOND_MS, key64
from playbill.events import encode_videos
from playbill.features import (
    NO_TOPIC,
    VISIBLE,
    author_text_key,
    decode_entry,
    topic_text_key,
    video_text_key,
)
from playbill.features.state import MAX_TOPICS_TOTAL, language_code


def _record(world: World, name: str) -> np.void:
    return world.state.items.records[world.row(name)]


def _view(world: World, name: str):
    (stored,) = world.users.texts([video_text_key(key64(name))])
    return decode_entry(stored).view()


def test_a_posted_video_is_there_with_the_next_epoch():
    world = World()
    posted = video("v0", "ada", ("tea", "sea"), title="Tea by the sea", language="en-GB")
    world.post(msgspec.structs.replace(posted, regions=["south"], age_rating=12))
    world.step()
    record = _record(world, "v0")
    assert record["key"] == key64("v0")
    assert record["created_at_ms"] == world.clock.now_ms() - SECOND_MS
    assert record["duration_ms"] == 60_000
    assert record["topics"].tolist() == [0, 1, NO_TOPIC, NO_TOPIC]
    assert (record["regions"], record["flags"], record["age_rating"]) == (0b10, VISIBLE, 12)
    assert record["language"] == language_code("en") != language_code("de")
    assert not record["slots"].any()
    view = _view(world, "v0")
    assert (view.title, view.author_id, view.topics) == ("Tea by the sea", "ada", ["tea", "sea"])
    assert view.visible


def test_names_of_authors_and_topics_can_be_found():
    world = World()
    open_catalogue(world)
    topics = [topic_text_key(row) for row in range(world.state.topics.count)]
    authors = [author_text_key(row) for row in range(world.state.authors.count)]
    assert world.users.texts(topics) == [b"tea", b"sea", b"art", b"ska"]
    assert world.users.texts(authors) == [b"ada", b"ben", b"cy"]


def test_a_video_posted_again_keeps_its_sums_and_its_first_instant():
    world = World()
    open_catalogue(world)
    world.act(world.event("like", "ann", "v0"))
    world.step()
    before = _record(world, "v0").copy()
    world.post(video("v0", "ben", ("art",), duration_ms=5_000, age_rating=18))
    world.step(HOUR_MS)
    record = _record(world, "v0")
    assert record["slots"].tolist() == before["slots"].tolist()
    assert record["created_at_ms"] == before["created_at_ms"]
    assert (record["duration_ms"], record["age_rating"]) == (5_000, 18)
    assert record["author"] == world.state.authors.row(key64("ben"))
    assert record["topics"].tolist() == [2, NO_TOPIC, NO_TOPIC, NO_TOPIC]
    assert _view(world, "v0").author_id == "ben"
    assert _view(world, "v0").created_at_ms == before["created_at_ms"]


def test_of_two_posts_in_one_epoch_the_last_counts_and_the_first_dates_it():
    world = World()
    world.post(video("v0", "ada", ("tea",)))
    world.clock.advance(500)
    world.post(video("v0", "ben", ("sea", "tea")), video("v1", "ben"))
    world.step()
    record = _record(world, "v0")
    assert world.state.items.count == 2
    assert record["created_at_ms"] == world.state.at_ms - 1_500
    assert record["topics"].tolist()[:2] == [1, 0]
    assert _view(world, "v0").author_id == "ben"
    assert world.state.authors.records["items"][:2].tolist() == [1, 1]


def test_a_video_taken_down_is_hidden_and_posted_again_it_is_back_with_its_sums():
    world = World()
    open_catalogue(world)
    world.act(world.event("like", "ann", "v0"))
    world.step()
    sums = _record(world, "v0")["slots"].tolist()
    world.take_down("v0", "never posted")
    world.step()
    assert _record(world, "v0")["flags"] == 0
    assert not _view(world, "v0").visible
    assert _record(world, "v0")["slots"].tolist() == sums
    world.post(video("v0"))
    world.step()
    assert _record(world, "v0")["flags"] == VISIBLE
    assert _view(world, "v0").visible
    assert _record(world, "v0")["slots"].tolist() == sums


def test_posted_and_taken_down_in_one_epoch_is_hidden():
    world = World()
    world.take_down("v0")
    world.post(video("v0"))
    world.step()
    assert _record(world, "v0")["flags"] == 0
    assert not _view(world, "v0").visible


@pytest.mark.parametrize(
    ("regions", "bits", "flags"),
    [
        ([], 0, VISIBLE),
        (["north"], 0b01, VISIBLE),
        (["south", "north"], 0b11, VISIBLE),
        (["south", "gone"], 0b10, VISIBLE),
        (["gone"], 0, 0),
    ],
)
def test_a_video_is_shown_where_it_may_be_and_nowhere_if_no_such_region_is_left(
    regions, bits, flags
):
    """Regions were declared when a video was posted; settings may have lost one since."""
    world = World()
    stored = StoredVideo(
        key=key64("v0"),
        video_id="v0",
        author_id="ada",
        title="",
        topics=[],
        language=None,
        duration_ms=1,
        regions=regions,
        age_rating=0,
        created_at_ms=1,
        posted_at_ms=1,
    )
    world._append("web-1", encode_videos([stored]))
    world.step()
    assert (_record(world, "v0")["regions"], _record(world, "v0")["flags"]) == (bits, flags)


def _small(**room) -> World:
    state = StateSettings(**{"item_capacity": 10, "group_capacity": 10, **room})
    return World(settings=msgspec.structs.replace(SETTINGS, state=state))


def test_a_video_without_room_is_left_out_and_those_there_may_still_change():
    world = _small(item_capacity=2)
    world.post(video("v0"), video("v1"), video("v2"), video("v0", duration_ms=5))
    assert world.step().videos_without_room == 1
    world.post(video("v3"), video("v1", duration_ms=6))
    world.act(world.event("click", "ann", "v3"), world.event("click", "ann", "v1"))
    report = world.step()
    assert (report.unknown_videos, report.videos_without_room) == (1, 1)
    assert world.state.items.count == 2
    assert (world.row("v2"), world.row("v3")) == (-1, -1)
    assert (_record(world, "v0")["duration_ms"], _record(world, "v1")["duration_ms"]) == (5, 6)
    world.assert_replay_is_live()


def test_a_video_of_an_author_without_room_is_left_out():
    world = _small(group_capacity=2)
    world.post(video("v0", "ada"), video("v1", "ben"), video("v2", "cy"), video("v3", "ada"))
    assert world.step().videos_without_room == 1
    assert [world.row(name) for name in ("v0", "v1", "v2", "v3")] == [0, 1, -1, 2]
    world.assert_replay_is_live()


@pytest.mark.parametrize("told", [True, False], ids=["by the platform", "by an event"])
def test_authors_that_are_only_followed_take_up_half_of_the_room_and_the_rest_is_counted(told):
    world = _small(group_capacity=4)
    names = ["dee", "eve", "dee", "fay", "gil"]
    if told:
        world.tell(User(user_id="ann", follows=names))
    else:
        world.act(*(world.event("follow", "ann", author_id=name) for name in names))
    assert world.step().unknown_authors == 2
    known = [world.state.authors.row(key64(name)) for name in ("dee", "eve", "fay", "gil")]
    assert known == [0, 1, -1, -1]
    row = world.viewer("ann")[0]
    assert row["follows"][: row["follow_count"]].tolist() == [0, 1]
    world.post(video("v0", "fay"), video("v1", "gil"))
    world.step()
    assert (world.row("v0"), world.row("v1")) == (0, 1)
    world.assert_replay_is_live()


def _colliding(video_id: str, author: str, key: int, posted_at_ms: int) -> StoredVideo:
    return StoredVideo(
        key=key,
        video_id=video_id,
        author_id=author,
        title="",
        topics=[],
        language=None,
        duration_ms=1_000,
        regions=[],
        age_rating=0,
        created_at_ms=posted_at_ms,
        posted_at_ms=posted_at_ms,
    )


@pytest.mark.parametrize("epochs", [1, 2], ids=["in one epoch", "in two epochs"])
def test_of_two_videos_with_one_key_the_first_in_the_log_stays_and_the_second_is_counted(epochs):
    world = World()
    key = key64("v0")
    now_ms = world.clock.now_ms()
    world._append("web-1", encode_videos([_colliding("v0", "ada", key, now_ms)]))
    counted = 0 if epochs == 1 else world.step().video_keys_taken
    other = _colliding("other", "ben", key, now_ms)
    world._append("web-2", encode_videos([other, other]))
    assert (counted, world.step().video_keys_taken) == (0, 2)
    assert world.state.items.count == 1
    assert _view(world, "v0").video_id == "v0"
    assert world.state.authors.row(key64("ben")) == -1
    world.post(video("v0", "cy"))
    assert world.step().video_keys_taken == 0
    assert _view(world, "v0").author_id == "cy"
    world.assert_replay_is_live()


def test_the_first_of_two_videos_with_one_key_stays_when_state_is_behind_the_store(tmp_path):
    world = World(tmp_path)
    key, now_ms = key64("v0"), world.clock.now_ms()
    world.post(video("v1"))
    world.step()
    world.updater.checkpoint()
    world._append("web-1", encode_videos([_colliding("v0", "ada", key, now_ms)]))
    world.step()
    world._append("web-1", encode_videos([_colliding("other", "ben", key, now_ms)]))
    assert world.step().video_keys_taken == 1
    assert world.recover() == 2
    assert _view(world, "v0").video_id == "v0"
    assert world.state.authors.row(key64("ben")) == -1
    world.assert_replay_is_live()


def test_a_topic_without_room_is_not_remembered_and_the_video_is():
    world = _small(group_capacity=2)
    world.post(video("v0", topics=("tea", "sea", "art")), video("v1", topics=("art", "sea")))
    world.step()
    assert _record(world, "v0")["topics"].tolist() == [0, 1, NO_TOPIC, NO_TOPIC]
    assert _record(world, "v1")["topics"].tolist() == [NO_TOPIC, 1, NO_TOPIC, NO_TOPIC]
    world.act(world.event("like", "ann", "v1"))
    world.step()
    assert world.viewer("ann")["topics"][0, 0] == 1
    world.assert_replay_is_live()


def test_there_are_at_most_65535_topics_whatever_the_settings_say():
    assert MAX_TOPICS_TOTAL == NO_TOPIC == 65_535


@pytest.mark.parametrize(("tag", "same"), [("en", "EN-us"), ("de-AT", "de"), ("zh-Hant-TW", "zh")])
def test_languages_are_compared_by_their_primary_part(tag, same):
    assert language_code(tag) == language_code(same) > 0
    assert language_code(None) == 0
