"""Counts of what is taken after what, beside a plain reading of the rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.training import transitions as counting
from playbill.training.sequences import Sequences, sequences_of
from playbill.training.transitions import count_transitions

VIDEOS = 12


def sequences(told: list[list[int]]) -> Sequences:
    items = [item for viewer in told for item in viewer]
    viewers = [number for number, viewer in enumerate(told) for _ in viewer]
    return Sequences(
        np.array(items, np.int64), np.array(viewers, np.int64), np.ones(len(items), np.int64)
    )


def plainly(told: list[list[int]]) -> dict[tuple[int, int], float]:
    takes = {video: 1 + sum(viewer.count(video) for viewer in told) for video in range(VIDEOS)}
    sums: dict[tuple[int, int], float] = {}
    for viewer in told:
        for place, leading in enumerate(viewer):
            for distance, after in enumerate(viewer[place + 1 : place + 21], start=1):
                if after != leading:
                    weight = distance**-0.7 * takes[leading] ** -0.8 * takes[after] ** -0.2
                    sums[leading, after] = sums.get((leading, after), 0.0) + weight
    return sums


_TOLD = st.lists(st.lists(st.integers(0, VIDEOS - 1), max_size=30), max_size=6)


@law(60)
@given(told=_TOLD, at_once=st.sampled_from([20, 200, 1 << 20]))
def test_counts_are_those_of_the_rule_however_many_are_taken_at_once(told, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_PAIRS_AT_ONCE", at_once)
        found = count_transitions(sequences(told), VIDEOS)
    found.check("counts")
    leading = np.repeat(np.arange(VIDEOS), np.diff(found.starts))
    pairs = zip(leading.tolist(), found.followers.tolist(), strict=True)
    told_sums = dict(zip(pairs, found.weights.tolist(), strict=True))
    assert told_sums == pytest.approx(plainly(told), rel=1e-5)


def test_the_strongest_are_kept_and_come_first(monkeypatch):
    monkeypatch.setattr(counting, "MOST_FOLLOWERS", 2)
    found = count_transitions(sequences([[0, 1, 2, 3], [0, 3], [0, 3]]), VIDEOS)
    assert found.followers[: found.starts[1]].tolist() == [3, 1]


def test_a_log_without_takes_has_no_transitions():
    found = count_transitions(sequences([]), VIDEOS)
    assert found.starts.tolist() == [0] * (VIDEOS + 1)


def test_sequences_go_by_viewer_and_time_and_hold_what_was_taken(dataset):
    rows = dataset.rows()
    found = sequences_of(rows, rows.at_ms >= rows.at_ms.min())
    took = rows.labels[:, [0, 1, 2]].any(axis=1) & ~rows.labels[:, 3]
    assert len(found) == took.sum() > 0
    for viewer in np.unique(rows.users)[:20]:
        mine = np.flatnonzero((rows.users == viewer) & took)
        in_order = mine[np.lexsort((mine, rows.at_ms[mine]))]
        assert found.items[found.viewers == viewer].tolist() == rows.items[in_order].tolist()


def test_the_last_few_of_each_viewer_can_be_left_out():
    found = sequences([[1, 2, 3], [4], [5, 6]]).before_last(1)
    assert found.items.tolist() == [1, 2, 5]
    assert found.viewers.tolist() == [0, 0, 2]
