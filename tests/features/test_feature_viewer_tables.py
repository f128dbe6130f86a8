"""The small tables of a viewer's row against plain lists, also where they are full."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_worlds import START_MS
from playbill.core import HOUR_MS
from playbill.features import ITEM_RECORD, NO_TOPIC, empty_user, reference, seen_before
from playbill.features.definitions import Scope, Signal
from playbill.features.layout import (
    FOLLOWS,
    HALF_LIVES_MS,
    HISTORY,
    SEEN_PER_GENERATION,
    SLOTS,
    USER_AUTHORS,
    USER_TABLES,
    USER_TOPICS,
    Detail,
)
from playbill.features.reference import Remembered, followed, remember
from playbill.features.user_kernel import absorb_users, follow

VIDEOS = 400


def _items(topics: int = 60) -> np.ndarray:
    """Return videos that each have an author and a topic, few of them shared."""
    items = np.zeros(VIDEOS, ITEM_RECORD)
    items["author"] = np.arange(VIDEOS) % topics
    items["topics"] = NO_TOPIC
    items["topics"][:, 0] = np.arange(VIDEOS) % topics
    return items


def _absorb(row, videos, at_ms, *, signal=Signal.CLICK, seen=0, actions=0) -> None:
    count = len(videos)
    signals = np.zeros((count, len(Signal)), np.float32)
    signals[:, signal] = 1.0
    details = np.full((count, len(Detail)), -1, np.int64)
    details[:, Detail.SEEN], details[:, Detail.ACTION] = seen, actions
    details[:, Detail.REGION] = 0
    absorb_users(
        row,
        np.zeros(count, np.int64),
        np.asarray(at_ms, np.int64) + np.zeros(count, np.int64),
        signals,
        np.asarray(videos, np.int64),
        _items(),
        details,
        USER_TABLES,
        HALF_LIVES_MS,
    )


def _table(limit: int, names) -> dict[int, float]:
    """Return what a table of sums keeps: a full one lets the lightest go, the first of equals."""
    places: list[tuple[int, float]] = []
    for name in names:
        at = next((n for n, (other, _) in enumerate(places) if other == name), None)
        if at is None:
            if len(places) < limit:
                places.append((name, 0.0))
                at = len(places) - 1
            else:
                at = min(range(limit), key=lambda n: (places[n][1], n))
                places[at] = (name, 0.0)
        places[at] = (name, places[at][1] + 1.0)
    return dict(places)


@law(120)
@given(seed=st.integers(0, 1 << 32), of=st.integers(1, 40), count=st.integers(0, 150))
def test_topics_and_authors_keep_the_heaviest(seed, of, count):
    """All at one instant, so that sums are whole numbers and ties are exact."""
    videos = np.random.default_rng(seed).integers(0, of, count).tolist()
    row = empty_user()
    _absorb(row, videos, START_MS)
    clicks = [slot.signal for slot in SLOTS[Scope.USER_TOPIC]].index(Signal.CLICK)
    kept = dict(zip(row["topics"][0].tolist(), row["topic_slots"][0, :, clicks], strict=True))
    kept.pop(NO_TOPIC, None)
    assert kept == _table(USER_TOPICS, videos)
    clicks = [slot.signal for slot in SLOTS[Scope.USER_AUTHOR]].index(Signal.CLICK)
    kept = dict(zip(row["authors"][0].tolist(), row["author_slots"][0, :, clicks], strict=True))
    kept.pop(0xFFFFFFFF, None)
    assert kept == _table(USER_AUTHORS, videos)


def test_a_topic_that_came_back_begins_anew():
    row = empty_user()
    _absorb(row, range(USER_TOPICS), START_MS)
    _absorb(row, [30, 31, 0], START_MS)
    assert row["topic_slots"][0].sum() == USER_TOPICS


@law(60)
@given(seed=st.integers(0, 1 << 32), of=st.integers(1, 80), count=st.integers(0, 150))
def test_the_history_is_the_newest_videos_once_each(seed, of, count):
    random = np.random.default_rng(seed)
    row, history = empty_user(), []
    for _ in range(count):
        video, second = int(random.integers(of)), int(random.integers(60))
        action = 1 << int(random.integers(6))
        at_ms = START_MS + second * 1_000
        _absorb(row, [video], at_ms, actions=action)
        history = remember(history, video, at_ms // 1000, action)
    count = int(row["history_count"][0])
    entries = zip(
        row["history"][0].tolist(),
        row["history_at_s"][0].tolist(),
        row["history_action"][0].tolist(),
        strict=True,
    )
    assert [Remembered(*entry) for entry in entries][:count] == history
    assert count <= HISTORY


@law(60)
@given(seed=st.integers(0, 1 << 32), count=st.integers(0, 80))
def test_the_reference_of_the_history_is_the_newest_of_all(seed, count):
    random = np.random.default_rng(seed)
    happened = list(zip(range(count), random.permutation(count).tolist(), [1] * count, strict=True))
    history = []
    for video, second, action in happened:
        history = remember(history, video, second, action)
    newest = sorted(happened, key=lambda deed: -deed[1])[:HISTORY]
    assert history == [Remembered(*deed) for deed in newest]


@law(80)
@given(seed=st.integers(0, 1 << 32), of=st.integers(1, 30), count=st.integers(0, 80))
def test_follows_are_the_last_sixteen_the_newest_first(seed, of, count):
    authors = np.random.default_rng(seed).integers(0, of, count).tolist()
    row, follows = empty_user(), []
    for author in authors:
        follow(row[0], np.uint32(author))
        follows = followed(follows, author)
    count = int(row["follow_count"][0])
    assert row["follows"][0, :count].tolist() == follows
    assert count == min(len(set(authors)), FOLLOWS)


@law(100)
@given(seed=st.integers(0, 1 << 32), of=st.integers(50, VIDEOS), count=st.integers(0, 600))
def test_the_last_hundred_videos_seen_are_never_forgotten(seed, of, count):
    videos = np.random.default_rng(seed).integers(0, of, count).tolist()
    row = empty_user()
    _absorb(row, videos, START_MS, seen=1)
    last = list(dict.fromkeys(reversed(videos)))[:SEEN_PER_GENERATION]
    assert all(seen_before(row[0], np.int64(video)) for video in last)


def test_a_video_seen_again_is_remembered_from_then_on():
    row = empty_user()
    first, second = list(range(100)), list(range(100, 199))
    _absorb(row, [*first, *second], START_MS, seen=1)
    _absorb(row, [0], START_MS, seen=1)
    _absorb(row, range(200, 210), START_MS, seen=1)
    assert seen_before(row[0], np.int64(0))
    assert not seen_before(row[0], np.int64(1))


def test_a_full_filter_errs_towards_yes_as_rarely_as_it_says():
    wrong, asked = 0, 0
    for viewer in range(40):
        row = empty_user()
        _absorb(row, (np.arange(200) + 200 * viewer) % VIDEOS, START_MS, seen=1)
        strangers = np.arange(1_000_000 + 1_000 * viewer, 1_001_000 + 1_000 * viewer)
        wrong += sum(seen_before(row[0], stranger) for stranger in strangers)
        asked += len(strangers)
    # 100 videos set 3 bits of 1024 each: (1 - e^-0.293)^3 = 1.64 % a generation, and there are 2.
    assert 0.025 < wrong / asked < 0.040


def test_what_was_only_clicked_is_not_seen():
    row = empty_user()
    _absorb(row, [3], START_MS, seen=0)
    assert not seen_before(row[0], np.int64(3))


@law(100)
@given(
    gaps_ms=st.lists(st.sampled_from([0, 1_000, HOUR_MS, 40 * HOUR_MS]), min_size=1, max_size=30)
)
def test_moving_the_landmark_changes_no_sum(gaps_ms):
    row = empty_user()
    instants = START_MS + np.cumsum(gaps_ms)
    for at_ms in instants:
        _absorb(row, [1], at_ms)
    for place, slot in enumerate(SLOTS[Scope.USER]):
        if slot.signal is not Signal.CLICK:
            continue
        half_life_ms = slot.half_life_s * 1000.0
        expected = reference.decayed_sum(
            [(int(at_ms), 1.0) for at_ms in instants], half_life_ms, int(row["landmark_ms"][0])
        )
        np.testing.assert_allclose(row["slots"][0, place], expected, 2e-5)
