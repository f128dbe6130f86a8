"""A view that is long for its length: what the length of a video does to a watch says nothing."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_worlds import SETTINGS, STARTED_AT_MS, LivingLog, foreign, video

from playbill.contracts import EventType
from playbill.core import MINUTE_MS, SECOND_MS
from playbill.events import encode_videos
from playbill.training import Dataset, build_dataset
from playbill.training.long_views import FEWEST, GROUPS, needed_ms, rule_of
from playbill.training.metrics import auc
from playbill.training.sequences import sequences_of

LONGEST = 0.4


def watches(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how much each viewer wanted a video, its length, and how long it was watched."""
    random = np.random.default_rng(seed)
    wanted = random.random(count)
    durations_ms = (random.lognormal(10.0, 1.0, count)).astype(np.uint32) + 3_000
    share = np.clip(0.7 * wanted + 0.3 * random.random(count), 0.0, 1.0)
    watch_ms = (share * durations_ms.astype(np.float64) ** 0.8).astype(np.int32)
    return wanted, durations_ms, watch_ms


def test_long_views_tell_what_is_wanted_and_not_what_is_long():
    wanted, durations_ms, watch_ms = watches(20_000)
    rule = rule_of(watch_ms, durations_ms, LONGEST)
    by_length, by_time = watch_ms >= needed_ms(rule, durations_ms), watch_ms >= 3_000
    assert auc(by_length, wanted) > auc(by_time, wanted) + 0.1
    assert auc(by_time, durations_ms.astype(float)) > 0.9
    assert auc(by_length, durations_ms.astype(float)) == pytest.approx(0.5, abs=0.02)


@given(st.integers(0, 5 * FEWEST * GROUPS), st.floats(0.05, 0.95), st.integers(0, 9))
def test_in_every_group_about_the_share_is_long(count, longest, seed):
    _, durations_ms, watch_ms = watches(count, seed)
    rule = rule_of(watch_ms, durations_ms, longest)
    assert rule.up_to_ms == sorted(set(rule.up_to_ms))
    assert len(rule.needed_ms) == len(rule.up_to_ms) + 1 <= GROUPS
    assert min(rule.needed_ms) >= 1
    group = np.searchsorted(rule.up_to_ms, durations_ms)
    long = watch_ms >= needed_ms(rule, durations_ms)
    for number in np.unique(group):
        size = int((group == number).sum())
        assert abs(long[group == number].mean() - longest) < 0.02 + 1.5 / size


def test_where_most_watch_to_the_end_the_bound_that_is_nearer_stands():
    durations_ms = np.full(1_000, 8_000, np.uint32)
    watch_ms = np.where(np.arange(1_000) < 900, 8_000, 500).astype(np.int32)
    watch_ms[:350] = 16_000
    assert rule_of(watch_ms, durations_ms, LONGEST).needed_ms == [8_001]
    watch_ms[:350] = 8_000
    watch_ms[450:] = 500
    assert rule_of(watch_ms, durations_ms, LONGEST).needed_ms == [8_000]


def test_where_all_watch_to_the_end_all_views_are_long():
    durations_ms = np.full(1_000, 15_000, np.uint32)
    watch_ms = np.where(np.arange(1_000) < 600, 15_000, 500).astype(np.int32)
    assert rule_of(watch_ms, durations_ms, 0.25).needed_ms == [15_000]
    assert rule_of(watch_ms[:1], durations_ms[:1], 0.4).needed_ms == [15_000]


def test_a_group_of_few_watches_joins_another():
    durations_ms = np.full(3_000, 60_000, np.uint32)
    durations_ms[0] = 90_000
    rule = rule_of(np.arange(3_000, dtype=np.int32), durations_ms, LONGEST)
    assert rule.up_to_ms == []
    assert rule.needed_ms == [1_800]


def test_nobody_watched_and_nothing_is_long():
    rule = rule_of(np.empty(0, np.int32), np.empty(0, np.uint32), LONGEST)
    assert (rule.up_to_ms, rule.needed_ms) == ([], [1])


@pytest.fixture
def world():
    """Videos of 10 and of 100 s, the second watched five times as long by everybody."""
    living = LivingLog()
    lengths = [10_000, 100_000]
    living.close(
        [encode_videos([video(n, duration_ms=length) for n, length in enumerate(lengths)])],
        STARTED_AT_MS,
    )
    records, number = [], 0
    for user in range(FEWEST):
        for shown, times in ((0, 1), (1, 5)):
            number += 1
            at_ms = STARTED_AT_MS + number * SECOND_MS
            named = {"request": foreign(number)}
            records.append(living.event(EventType.IMPRESSION, user, shown, at_ms, **named))
            watch_ms = times * (1_000 + 50 * user)
            records.append(
                living.event(EventType.WATCH, user, shown, at_ms + 1, watch_ms=watch_ms, **named)
            )
    living.events(records, STARTED_AT_MS + 60 * MINUTE_MS)
    return living


def rates(world, folder, **labels):
    settings = msgspec.structs.replace(
        SETTINGS, labels=msgspec.structs.replace(SETTINGS.labels, **labels)
    )
    report = build_dataset(world.log, settings, folder)
    found = Dataset.open(folder).columns("item", "long_view")
    items, long = (found[name].to_numpy() for name in ("item", "long_view"))
    return report, [float(long[items == number].mean()) for number in (0, 1)]


def test_a_data_set_is_labelled_by_the_rule_and_says_which(world, tmp_path):
    by_time, seen = rates(world, tmp_path / "time")
    assert by_time.long_views is None
    assert seen[0] == 0.0
    assert seen[1] == 0.48
    report, seen = rates(world, tmp_path / "length", long_view_longest=LONGEST)
    assert seen == pytest.approx([LONGEST, LONGEST], abs=0.02)
    assert report.long_views.longest == LONGEST
    assert report.long_views.up_to_ms == [10_000]
    assert report.long_views.needed_ms == [1_000 + 50 * 60, 5 * (1_000 + 50 * 60)]
    assert report.labels.long_view == sum(int(rate * FEWEST) for rate in seen)
    assert Dataset.open(tmp_path / "length").report == report
    with_rule, without = (Dataset.open(tmp_path / name).rows() for name in ("length", "time"))
    assert (with_rule.labels != without.labels).any()
    chosen = np.ones(len(without), np.bool_)
    for ours, theirs in zip(
        *(sequences_of(rows, chosen).__getstate__() for rows in (with_rule, without)), strict=True
    ):
        assert ours.tolist() == theirs.tolist(), "what viewers took to goes by the log"
