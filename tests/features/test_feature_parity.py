"""Parity: evidence of what was served, against the log alone."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import VIDEOS, VIEWERS, law, open_catalogue
from laws.feature_worlds import SETTINGS, World
from playbill.contracts import EVENT_RECORD, Batch, BatchKind, Event
from playbill.core import HOUR_MS, DependencyUnavailable, request_name
from playbill.events import MemoryEventLog, encode_impressions
from playbill.features import FEATURE_NAMES, ServedTrace, check_parity, features_digest


def _served(feeds: int = 12, **serving) -> World:
    world = World()
    open_catalogue(world)
    for n in range(feeds):
        viewer = VIEWERS[n % 4]
        request, _ = world.rank(viewer, [VIDEOS[n % 8], VIDEOS[(n + 3) % 8]], **serving)
        world.step()
        world.act(
            world.event("click", viewer, VIDEOS[n % 8], request_id=request_name(request)),
            world.event("watch", viewer, VIDEOS[(n + 3) % 8], watch_ms=20_000),
        )
        world.step(HOUR_MS)
    return world


def _copied(world: World, change=lambda stored, payload: payload) -> MemoryEventLog:
    """Return a copy of a world's log, each payload passed through ``change``."""
    copy = MemoryEventLog()
    for partition in world.log.partitions():
        writer = copy.writer(partition)
        for stored in world.log.read(partition, 0, 1 << 30):
            payload = change(stored, stored.payload)
            writer.append([Batch(stored.kind, stored.count, payload)], stored.at_ms)
    return copy


@pytest.fixture(scope="module")
def world_of_feeds() -> World:
    return _served()


def test_every_vector_that_was_served_is_recomputed_to_the_bit():
    world = _served()
    report = check_parity(world.log, SETTINGS, sample=10_000, seed=1)
    assert (report.compared, report.equal, report.requests) == (24, 24, 12)
    assert report.first_mismatch is None
    assert report.not_comparable == 0


def test_a_copy_of_the_log_is_as_good_as_the_log():
    report = check_parity(_copied(_served()), SETTINGS, sample=10_000, seed=1)
    assert report.equal == report.compared == 24


def _shorter(events):
    events["watch_ms"][1] = 1_000


def _liked_instead(events):
    events["kind"][0] = 4


def _earlier(events):
    events["at_ms"][0] -= HOUR_MS


def _of_somebody_else(events):
    events["user"][0] = 1


@pytest.mark.parametrize(
    ("alter", "shows_in"),
    [
        (_shorter, "long_view"),
        (_liked_instead, "click"),
        (_earlier, "click"),
        (_of_somebody_else, "user"),
    ],
)
def test_one_changed_event_is_found_and_a_feature_is_named(alter, shows_in):
    changed = []

    def change(stored, payload):
        if stored.kind is not BatchKind.EVENTS or changed:
            return payload
        events = np.frombuffer(payload, EVENT_RECORD).copy()
        alter(events)
        changed.append(True)
        return events.tobytes()

    world = _served()
    report = check_parity(_copied(world, change), SETTINGS, sample=10_000, seed=1)
    assert report.equal < report.compared == 24
    mismatch = report.first_mismatch
    assert mismatch.feature in FEATURE_NAMES
    assert shows_in in mismatch.feature
    assert mismatch.served != mismatch.recomputed
    assert mismatch.video_key in world.state.items.used()["key"].tolist()
    assert len(mismatch.request_id) == 16


def test_a_changed_bit_of_the_evidence_is_found():
    def change(stored, payload):
        if stored.kind is not BatchKind.TRACES:
            return payload
        trace = msgspec.msgpack.decode(payload, type=ServedTrace)
        features = np.frombuffer(trace.features, np.uint32).copy()
        features[FEATURE_NAMES.index("item_age")] ^= 1
        return msgspec.msgpack.encode(msgspec.structs.replace(trace, features=features.tobytes()))

    report = check_parity(_copied(_served(), change), SETTINGS, sample=10_000, seed=1)
    assert (report.compared, report.equal) == (24, 12)
    assert report.first_mismatch.feature == "item_age"


@law(12)
@given(sample=st.integers(1, 30), seed=st.integers(0, 5))
def test_a_sample_is_drawn_by_whole_requests_and_its_seed(world_of_feeds, sample, seed):
    world = world_of_feeds
    report = check_parity(world.log, SETTINGS, sample=sample, seed=seed)
    assert report == check_parity(world.log, SETTINGS, sample=sample, seed=seed)
    assert min(sample, 24) <= report.compared <= sample + 1
    assert report.equal == report.compared == 2 * report.requests


def test_a_log_without_evidence_cannot_be_checked():
    with pytest.raises(DependencyUnavailable, match="no served feature vectors") as refusal:
        check_parity(_served(2, traced=False).log, SETTINGS, sample=10, seed=1)
    assert "serving.trace_share" in refusal.value.hint
    with pytest.raises(DependencyUnavailable):
        check_parity(MemoryEventLog(), SETTINGS, sample=10, seed=1)


def test_evidence_of_other_definitions_is_not_compared_but_counted():
    world = _served(3)
    traces = []

    def change(stored, payload):
        if stored.kind is not BatchKind.TRACES:
            return payload
        trace = msgspec.msgpack.decode(payload, type=ServedTrace)
        assert trace.features_digest == features_digest()
        traces.append(trace)
        other = "sha256:other" if len(traces) == 1 else trace.features_digest
        return msgspec.msgpack.encode(msgspec.structs.replace(trace, features_digest=other))

    report = check_parity(_copied(world, change), SETTINGS, sample=10, seed=1)
    assert (report.requests, report.compared, report.equal) == (2, 4, 4)
    assert report.not_comparable == 2


def test_evidence_of_a_feed_whose_record_was_lost_is_not_compared_but_counted():
    lost = []

    def change(stored, payload):
        if stored.kind is not BatchKind.IMPRESSIONS or lost:
            return payload
        lost.append(True)
        return encode_impressions([]).payload

    report = check_parity(_copied(_served(3), change), SETTINGS, sample=10, seed=1)
    assert (report.requests, report.not_comparable) == (2, 2)
    assert report.compared == 4


def test_other_settings_give_other_features_and_parity_says_so():
    shorter = msgspec.structs.replace(SETTINGS.labels, long_view_ms=25_000)
    other = msgspec.structs.replace(SETTINGS, labels=shorter)
    report = check_parity(_served().log, other, sample=100, seed=1)
    assert report.equal < report.compared
    assert "long" in report.first_mismatch.feature


def test_progress_ends_at_the_whole():
    told = []
    world = _served(2)
    for n in range(100):
        world.act(Event(event_id=f"x{n}", type="search", user_id="ann", at=world.clock.now_ms()))
        world.step()
    check_parity(world.log, SETTINGS, 10, 1, lambda what, share: told.append((what, share)))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("replay", 1.0)
    assert len(told) >= 2
