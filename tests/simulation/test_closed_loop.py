import json
import threading
from collections import Counter

import msgspec
import numpy as np
import pytest
from feed_stubs import STARTED_AT_MS, FakeFeedService, make_loop

from playbill.contracts import Event, EventType, FeedReply
from playbill.core import BrokenContract, FixedClock, InvalidInput
from playbill.simulation import ClosedLoop, LoopSettings, PlaybillClient
from playbill.simulation.viewers import viewer_row


def test_one_thread_does_the_same_every_time(world):
    loop, service, _ = make_loop(world)
    again, repeated, _ = make_loop(world)
    other, differing, _ = make_loop(world, seed=4)
    assert loop.run(feeds=200) == again.run(feeds=200)
    other.run(feeds=200)
    assert service.feeds == repeated.feeds
    assert service.events == repeated.events
    assert service.feeds != differing.feeds


def test_a_second_run_goes_on_with_other_visits(world):
    loop, service, _ = make_loop(world)
    loop.run(feeds=50)
    first = service.feeds.copy()
    assert loop.run(feeds=50).feeds == 50
    assert [feed["user_id"] for feed in service.feeds[50:]] != [feed["user_id"] for feed in first]


def test_the_report_counts_what_the_server_saw(world):
    loop, service, _ = make_loop(world)
    report = loop.run(feeds=400)
    kinds = Counter(event.type for event in service.events)
    assert report.feeds == len(service.feeds) == 400
    assert report.impressions == sum(feed["size"] for feed in service.feeds)
    assert report.events_posted == len(service.events) > 0
    assert report.click_rate == kinds[EventType.CLICK] / report.impressions
    assert report.like_rate == kinds[EventType.LIKE] / report.impressions
    assert report.long_view_rate is not None
    assert 0.0 < report.long_view_rate < report.click_rate
    assert kinds[EventType.CLICK] == kinds[EventType.WATCH]
    assert report.tiers == {"full": 200, "popular": 200}
    assert report.latency_p50_ms == pytest.approx(4.0, rel=0.02)
    assert report.latency_p95_ms == pytest.approx(4.0, rel=0.02)
    assert report.duration_s == pytest.approx(1.6)
    assert report.errors == {}


def test_expected_utility_is_the_worlds_own(world):
    loop, service, _ = make_loop(world)
    report = loop.run(feeds=30)
    total = 0.0
    for call, asked in enumerate(service.feeds, start=1):
        rows = (call * 31 + np.arange(asked["size"]) * 7) % 3_000
        seen = world.examination(asked["user_id"], np.arange(asked["size"]))
        total += float(seen @ world.expected_utility(asked["user_id"], rows))
    assert report.utility_per_feed == pytest.approx(total / 30)


def test_events_join_their_feed_and_are_valid(world):
    loop, service, _ = make_loop(world)
    loop.run(feeds=300)
    assert len({event.event_id for event in service.events}) == len(service.events)
    for event in service.events:
        asked = service.feeds[int(event.request_id, 16) - 1]
        assert event.user_id == asked["user_id"]
        assert event.region == asked["region"]
        assert event.session_id == asked["session_id"]
        assert event.surface == asked["surface"] == "home"
        row = (int(event.request_id, 16) * 31 + event.position * 7) % 3_000
        assert event.video_id == world.catalogue.video_ids[row]
        assert (event.watch_ms is not None) == (event.type is EventType.WATCH)
        assert event.at >= STARTED_AT_MS
        msgspec.json.decode(msgspec.json.encode(event), type=Event)


def test_batches_keep_to_their_size_and_nothing_is_left(world):
    settings = LoopSettings(threads=1, batch_events=5, flush_s=60.0)
    loop, service, _ = make_loop(world, settings=settings)
    report = loop.run(feeds=300)
    assert max(service.batches) == 5
    assert sum(service.batches) == report.events_posted


def test_events_do_not_wait_long_for_company(world):
    loop, service, _ = make_loop(
        world, settings=LoopSettings(threads=1, batch_events=1_000, flush_s=0.1)
    )
    loop.run(feeds=300)
    assert len(service.batches) >= 5


def test_a_viewer_at_the_end_of_a_page_asks_for_the_next(world):
    loop, service, _ = make_loop(world, cursor="more")
    loop.run(feeds=300)
    pages = Counter(feed["session_id"] for feed in service.feeds)
    assert max(pages.values()) == 3
    for feed, following in zip(service.feeds, service.feeds[1:], strict=False):
        if following["cursor"] is not None:
            assert following["session_id"] == feed["session_id"]


def test_several_threads_share_the_viewers_and_the_work(world):
    loop, service, _ = make_loop(world, settings=LoopSettings(threads=3))
    report = loop.run(feeds=301)
    assert report.feeds == len(service.feeds) == 301
    assert report.impressions == sum(feed["size"] for feed in service.feeds)
    shares = Counter(viewer_row(feed["user_id"]) % 3 for feed in service.feeds)
    assert sorted(shares.values()) == [100, 100, 101]


def test_a_dead_server_is_counted_and_does_not_spin(world):
    loop, _, clock = make_loop(world, failing_feeds=True)
    report = loop.run(feeds=20)
    assert report.errors == {"unreachable": 20}
    assert (report.feeds, report.impressions) == (0, 0)
    assert report.click_rate is None
    assert report.utility_per_feed is None
    assert report.latency_p95_ms is None
    assert clock.elapsed_s() >= 2.0


def test_events_that_cannot_be_posted_are_lost_and_counted(world):
    loop, _, _ = make_loop(world, failing_events=True)
    report = loop.run(feeds=100)
    assert report.events_posted == 0
    assert report.events_lost > 0
    assert report.errors["log_unavailable"] >= 1


def test_videos_of_another_world_are_nobodys(world):
    loop, service, _ = make_loop(world, strangers=2)
    report = loop.run(feeds=50)
    assert report.strangers == 100
    assert report.impressions == sum(feed["size"] for feed in service.feeds) - 100
    assert all(event.position >= 2 for event in service.events)


def test_repeats_are_counted(world):
    loop, _, _ = make_loop(world, repeat=True, cursor="more")
    report = loop.run(feeds=200)
    assert report.repeat_rate is not None
    assert report.repeat_rate > 0.1
    assert report.distinct_videos == 20


def test_progress_is_told_and_the_last_one_is_the_report(world):
    loop, _, _ = make_loop(world)
    told = []
    report = loop.run(feeds=30, on_progress=told.append)
    assert told[-1] == report


def test_a_run_can_be_called_off(world):
    loop, service, _ = make_loop(world, settings=LoopSettings(threads=2))
    original = service.feed

    def feed(user_id, **asked):
        if len(service.feeds) >= 25:
            loop.stop()
        return original(user_id, **asked)

    service.feed = feed
    assert 25 <= loop.run().feeds <= 27


def test_a_bug_in_one_thread_ends_the_run(world):
    loop, service, _ = make_loop(world, settings=LoopSettings(threads=2))

    def feed(user_id, **asked):
        raise BrokenContract("boom")

    service.feed = feed
    with pytest.raises(BrokenContract, match="boom"):
        loop.run()


def test_limits_and_settings_out_of_range_are_refused(world):
    loop, _, _ = make_loop(world)
    with pytest.raises(InvalidInput, match="feeds is 0"):
        loop.run(feeds=0)
    with pytest.raises(InvalidInput, match="threads is 0"):
        make_loop(world, settings=LoopSettings(threads=0))
    with pytest.raises(InvalidInput, match="batch_events is 2000"):
        make_loop(world, settings=LoopSettings(batch_events=2_000))
    with pytest.raises(InvalidInput, match="pages_at_most is 0"):
        make_loop(world, settings=LoopSettings(pages_at_most=0))


def test_the_loop_speaks_http(world, server):
    clock = FixedClock(STARTED_AT_MS)
    fake = FakeFeedService(world, clock)
    reply: FeedReply = fake.feed("viewer-00001", size=10)
    server.script = [(200, {}, msgspec.to_builtins(reply))]
    client = PlaybillClient(server.url)
    loop = ClosedLoop(
        world, client, clock, 3, LoopSettings(threads=2, batch_events=1_000, flush_s=60.0)
    )
    feeds_done = threading.Event()
    original = client.feed

    def feed(user_id, **asked):
        answer = original(user_id, **asked)
        if len(server.seen) == 40:
            server.script = [(202, {}, {"accepted": 1, "duplicates": 0, "rejected": []})]
            feeds_done.set()
        return answer

    client.feed = feed
    report = loop.run(feeds=40)
    client.close()
    assert feeds_done.is_set()
    assert report.feeds == 40
    posts = [json.loads(seen.body) for seen in server.seen if seen.method == "POST"]
    assert sum(len(post["events"]) for post in posts) == report.events_posted
