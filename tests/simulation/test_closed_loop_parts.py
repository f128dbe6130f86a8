import numpy as np
import pytest
from feed_stubs import STARTED_AT_MS, make_loop

from playbill.core import MINUTE_MS
from playbill.simulation import publish_world
from playbill.simulation.audience import Audience
from playbill.simulation.columns import stream
from playbill.simulation.memory import Following, RecentlyShown


def test_a_viewer_forgets_what_was_shown_long_ago():
    shown = RecentlyShown(2)
    assert shown.show(0, np.arange(40)) == 0
    assert shown.show(1, np.arange(40)) == 0
    assert shown.show(0, np.arange(30, 60)) == 10
    assert shown.show(0, np.arange(6)) == 0


def test_nobody_follows_an_author_twice(world):
    following = Following(world)
    videos = np.arange(5)
    everything = np.ones(5, dtype=np.bool_)
    known = world.viewers.favourites[0][: world.viewers.follows[0]]
    new = following.begin(0, videos, everything)
    authors = world.catalogue.author[videos]
    assert new.sum() == np.setdiff1d(authors, known).size
    assert not following.begin(0, videos, everything).any()


def test_new_videos_are_posted_as_they_arrive(world):
    loop, service, clock = make_loop(world)
    clock.advance(30 * MINUTE_MS)
    due = world.catalogue.arrived(clock.now_ms()) - world.settings.videos
    report = loop.run(feeds=1)
    assert report.videos_posted == len(service.videos) == due > 0
    assert [video["created_at"] for video in service.videos] == sorted(
        world.catalogue.created_at_ms[3_000 : 3_000 + due].tolist()
    )
    assert loop.run(feeds=5).videos_posted == 0


def test_the_first_catalogue_and_the_viewers_are_published_in_batches(world):
    _, service, _ = make_loop(world)
    steps = []
    publish_world(world, service, lambda done, total: steps.append((done, total)))
    assert len(service.videos) == 3_000
    assert len(service.users) == 900
    assert steps == [(1_000, 3_900), (2_000, 3_900), (3_000, 3_900), (3_900, 3_900)]


def test_requests_keep_to_their_pace(world):
    loop, service, _ = make_loop(world)
    report = loop.run(duration_s=10.0, requests_per_s=20.0)
    assert report.feeds == pytest.approx(200, abs=2)
    assert len(service.feeds) == report.feeds


def test_a_slow_server_gets_fewer_requests_and_no_burst(world):
    loop, service, _ = make_loop(world, latency_ms=500)
    report = loop.run(duration_s=10.0, requests_per_s=20.0)
    assert report.feeds == 20
    assert len(service.feeds) == 20


def test_evening_comes_to_each_region_at_its_own_time(world):
    audience = Audience(world, 0, 1)
    rng = stream(5, "test-audience")
    start_h = world.utc_hour(STARTED_AT_MS)
    counts = {}
    for utc_h in (2.5, 11.5):
        at_ms = STARTED_AT_MS + round((utc_h - start_h) % 24.0 * 3_600_000)
        users = [audience.pick(at_ms, rng) for _ in range(2_000)]
        counts[utc_h] = np.bincount(world.viewers.region[users], minlength=6)
    north_america, east_asia = 0, 5
    assert counts[2.5][north_america] > 2 * counts[11.5][north_america]
    assert counts[11.5][east_asia] > 2 * counts[2.5][east_asia]


def test_active_viewers_come_more_often(world):
    audience = Audience(world, 0, 1)
    rng = stream(6, "test-audience")
    users = [audience.pick(STARTED_AT_MS, rng) for _ in range(3_000)]
    busiest = np.argsort(-world.viewers.activity)[:90]
    assert np.isin(users, busiest).mean() > 0.25
