import numpy as np
import pytest
from event_worlds import NOW_MS, PSEUDONYMS, SETTINGS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playbill.contracts import (
    EVENT_RECORD,
    REQUEST_RECORD,
    SHOWN_RECORD,
    BatchKind,
    Takedown,
    User,
    Video,
)
from playbill.core import BrokenContract, InvalidInput, key64
from playbill.events import (
    EpochInput,
    Vocabulary,
    decode_videos,
    encode_events,
    encode_impressions,
    encode_takedowns,
    encode_users,
    encode_videos,
    store_user,
    store_video,
)
from playbill.events.batches import decode_impressions

laws = settings(max_examples=60, deadline=None, derandomize=True)
REGIONS = Vocabulary("region", SETTINGS.regions)
VIDEO = {"video_id": "video-1", "author_id": "author-1", "duration_ms": 1_000}
sizes = st.lists(st.integers(0, 5), max_size=6)


def feeds_of(sizes):
    """Return one served feed a size, whose keys tell the requests and the places apart."""
    feeds = []
    for number, size in enumerate(sizes):
        head = np.zeros(1, REQUEST_RECORD)
        head["request"], head["count"] = number + 1, size
        shown = np.zeros(size, SHOWN_RECORD)
        shown["video"] = 100 * number + np.arange(size)
        feeds.append((head, shown))
    return feeds


@laws
@given(sizes=sizes)
def test_served_feeds_come_back_request_by_request_and_place_by_place(sizes):
    batch = encode_impressions(feeds_of(sizes))
    assert (batch.kind, batch.count) == (BatchKind.IMPRESSIONS, len(sizes))
    served = decode_impressions(batch.payload)
    assert served.requests["request"].tolist() == [n + 1 for n in range(len(sizes))]
    assert served.requests["count"].tolist() == sizes
    assert served.shown["video"].tolist() == [
        100 * number + place for number, size in enumerate(sizes) for place in range(size)
    ]


@laws
@given(groups=st.lists(sizes, max_size=4))
def test_the_feeds_of_several_batches_are_one_pair_of_columns(groups):
    content = EpochInput(1, NOW_MS)
    for group in groups:
        content.add(BatchKind.IMPRESSIONS, encode_impressions(feeds_of(group)).payload)
    served = content.served()
    assert served.requests["count"].tolist() == [size for group in groups for size in group]
    assert len(served.shown) == sum(size for group in groups for size in group)
    assert (served.requests.dtype, served.shown.dtype) == (REQUEST_RECORD, SHOWN_RECORD)


@laws
@example(sizes=[3], cut=1)
@example(sizes=[3], cut=24)
@example(sizes=[2, 2], cut=160)
@given(sizes=sizes, cut=st.integers(1, 300))
def test_a_torn_impressions_batch_is_our_bug_and_never_read_as_less(sizes, cut):
    payload = encode_impressions(feeds_of(sizes)).payload
    with pytest.raises(BrokenContract, match=r"batch of impressions with .* bytes is torn"):
        decode_impressions(payload[: -min(cut, len(payload))])


def _stored(kind):
    if kind is BatchKind.VIDEOS:
        return encode_videos([store_video(Video(**VIDEO), NOW_MS, REGIONS)])
    if kind is BatchKind.TAKEDOWNS:
        return encode_takedowns([Takedown(key=7, at_ms=NOW_MS)])
    if kind is BatchKind.USERS:
        return encode_users([store_user(User(user_id="u"), NOW_MS, PSEUDONYMS, REGIONS)])
    return encode_events(np.zeros(3, EVENT_RECORD))


@pytest.mark.parametrize(
    "kind", [BatchKind.EVENTS, BatchKind.VIDEOS, BatchKind.TAKEDOWNS, BatchKind.USERS]
)
@pytest.mark.parametrize("cut", [1, 5])
def test_a_torn_batch_of_any_kind_is_one_error_that_names_kind_and_length(kind, cut):
    payload = _stored(kind).payload[:-cut]
    said = rf"batch of {kind.name.lower()} with {len(payload)} bytes is torn"
    with pytest.raises(BrokenContract, match=said) as refusal:
        EpochInput(1, NOW_MS).add(kind, payload)
    assert "restore the log folder" in refusal.value.hint


def test_impressions_that_announce_more_than_they_hold_are_our_bug():
    feeds = feeds_of([2, 3])
    feeds[1][0]["count"] = 4
    with pytest.raises(BrokenContract, match="announces 6 places and holds 5"):
        decode_impressions(encode_impressions(feeds).payload)


def test_a_video_is_stored_with_every_default_resolved():
    video = Video(**VIDEO, title="Cats", topics=["cats", "pets", "cats"], regions=["eu"])
    stored = store_video(video, NOW_MS, REGIONS)
    assert stored.key == key64("video-1")
    assert (stored.video_id, stored.author_id, stored.title) == ("video-1", "author-1", "Cats")
    assert (stored.topics, stored.regions) == (["cats", "pets"], ["eu"])
    assert (stored.created_at_ms, stored.posted_at_ms, stored.visible) == (NOW_MS, NOW_MS, True)
    assert decode_videos(encode_videos([stored, stored]).payload) == [stored, stored]


@laws
@given(created_ms=st.integers(NOW_MS - 10**6, NOW_MS + 10**6) | st.integers(0, 4_102_444_800_000))
def test_a_video_is_never_younger_than_its_post(created_ms):
    stored = store_video(Video(**VIDEO, created_at=created_ms), NOW_MS, REGIONS)
    assert stored.created_at_ms == min(created_ms, NOW_MS)


def test_an_undeclared_region_keeps_a_video_and_a_viewer_out():
    with pytest.raises(InvalidInput, match="'mars' is not declared"):
        store_video(Video(**VIDEO, regions=["eu", "mars"]), NOW_MS, REGIONS)
    with pytest.raises(InvalidInput, match="'mars' is not declared"):
        store_user(User(user_id="user-1", region="mars"), NOW_MS, PSEUDONYMS, REGIONS)


def test_a_viewers_facts_are_stored_under_the_pseudonym_only():
    user = User(user_id="maria", region="eu", language="es", age=30, follows=["a"], interests=["b"])
    stored = store_user(user, NOW_MS, PSEUDONYMS, REGIONS)
    assert stored.user == PSEUDONYMS.user("maria")
    assert (stored.at_ms, stored.region, stored.language, stored.age) == (NOW_MS, "eu", "es", 30)
    assert (stored.follows, stored.interests) == (["a"], ["b"])
    assert b"maria" not in repr(stored).encode()
