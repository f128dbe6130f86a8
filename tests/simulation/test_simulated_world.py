import msgspec
import numpy as np
import pytest
from feed_stubs import STARTED_AT_MS

from playbill.contracts import User, Video
from playbill.core import DAY_MS, HOUR_MS, InvalidInput
from playbill.simulation import REGION_NAMES, WorldSettings, make_world
from playbill.simulation.columns import stream
from playbill.simulation.topics import TOPIC_COUNT
from playbill.simulation.vocabulary import GROUPS, TOPICS


def test_the_same_seed_makes_the_same_world(small, world):
    again = make_world(small, STARTED_AT_MS)
    assert again.video_bodies(0, 3_060) == world.video_bodies(0, 3_060)
    assert again.user_bodies(0, 900) == world.user_bodies(0, 900)
    np.testing.assert_array_equal(again.viewers.taste, world.viewers.taste)
    np.testing.assert_array_equal(again.catalogue.quality, world.catalogue.quality)


def test_another_seed_makes_another_world(small, world):
    other = make_world(msgspec.structs.replace(small, seed=12), STARTED_AT_MS)
    assert not set(other.catalogue.video_ids) & set(world.catalogue.video_ids)
    assert not np.array_equal(other.viewers.taste, world.viewers.taste)


def test_streams_of_different_names_or_parts_share_no_draws():
    draws = {
        stream(7, name, part).integers(1 << 60) for name in ("one", "two") for part in range(3)
    }
    assert len(draws) == 6


def test_every_body_is_what_the_contracts_accept(world):
    videos = msgspec.convert(world.video_bodies(0, 3_060), list[Video])
    users = msgspec.convert(world.user_bodies(0, 900), list[User])
    assert len({video.video_id for video in videos}) == 3_060
    assert {user.region for user in users} == set(REGION_NAMES)
    assert users[1].user_id == "viewer-00001"
    assert all(1 <= len(video.topics) <= 2 for video in videos)
    assert 0.0 < np.mean([video.age_rating > 0 for video in videos]) < 0.05
    assert 0.0 < np.mean([bool(video.regions) for video in videos]) < 0.06
    assert 0.3 < np.mean([user.interests is not None for user in users]) < 0.7


def test_handles_are_different_and_authors_keep_to_few_topics(world):
    assert len(set(world.authors.handles)) == 150
    per_author = (world.authors.topic_shares > 0.0).sum(axis=1)
    assert per_author.min() >= 1
    assert per_author.max() <= 3
    busiest = np.sort(np.bincount(world.catalogue.author, minlength=150))[::-1]
    assert busiest[:15].sum() > 3 * busiest[-15:].sum()


def test_the_catalogue_lies_before_the_start_and_arrivals_after(world, small):
    created_at_ms = world.catalogue.created_at_ms
    assert (np.diff(created_at_ms) >= 0).all()
    assert world.catalogue.arrived(STARTED_AT_MS) == small.videos
    assert created_at_ms[0] > STARTED_AT_MS - small.catalogue_days * DAY_MS - 2
    late = world.catalogue.arrived(STARTED_AT_MS + HOUR_MS)
    assert small.videos < late <= small.videos + small.arrivals
    assert world.catalogue.arrived(STARTED_AT_MS + 30 * DAY_MS) == small.videos + small.arrivals


def test_durations_follow_the_topic(world):
    first = world.catalogue.topics[:, 0]
    names = [topic.name for topic in TOPICS]
    cats = world.catalogue.duration_ms[first == names.index("cats")]
    code = world.catalogue.duration_ms[first == names.index("programming")]
    assert np.median(cats) < 60_000 < 200_000 < np.median(code)


def test_every_group_of_topics_has_words_of_its_own():
    assert TOPIC_COUNT == 40
    assert sum(len(group) for group in GROUPS) == TOPIC_COUNT
    assert len({topic.name for topic in TOPICS}) == TOPIC_COUNT
    for topic in TOPICS:
        assert len(topic.subjects) >= 16
        assert len(topic.details) >= 12
        assert all("{a}" in template for template in topic.templates)
        assert sum("{b}" in template for template in topic.templates) >= 4


def test_titles_are_readable_and_nearly_all_different(small):
    titles = make_world(
        msgspec.structs.replace(small, videos=20_000), STARTED_AT_MS
    ).catalogue.titles
    assert len(set(titles)) / len(titles) > 0.99
    lengths = np.array([len(title) for title in titles])
    assert lengths.min() >= 10
    assert lengths.max() <= 140
    assert all(title[0] == title[0].upper() for title in titles)
    assert not any("{" in title or "  " in title for title in titles)


def test_a_title_names_what_its_first_topic_is_about(world):
    for row in range(0, 3_000, 7):
        title = world.catalogue.titles[row].lower()
        topic = TOPICS[world.catalogue.topics_of(row)[0]]
        assert any(subject.lower() in title for subject in topic.subjects), title


def test_world_time_runs_faster_when_the_day_is_shorter(small):
    fast = make_world(msgspec.structs.replace(small, day_s=240.0), STARTED_AT_MS)
    start_h = fast.utc_hour(STARTED_AT_MS)
    assert fast.utc_hour(STARTED_AT_MS + 10_000) == pytest.approx((start_h + 1.0) % 24.0)
    assert fast.utc_hour(STARTED_AT_MS + 240_000) == pytest.approx(start_h)


def test_regions_wake_one_after_another(world):
    hours = [world.awake(STARTED_AT_MS + hour * HOUR_MS) for hour in range(24)]
    peaks = np.argmax(hours, axis=0)
    assert len(set(peaks.tolist())) >= 5
    assert np.min(hours) > 0.0


def test_settings_out_of_range_are_refused():
    with pytest.raises(InvalidInput, match="feed_size_min is 30"):
        make_world(WorldSettings(feed_size_min=30), STARTED_AT_MS)
    with pytest.raises(InvalidInput, match="videos"):
        make_world(WorldSettings(videos=3), STARTED_AT_MS)
