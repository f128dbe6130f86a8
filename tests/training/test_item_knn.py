"""The neighbourhood baseline, and what lists are like, beside a plain reading of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import DAY_MS
from playbill.features import ITEM_RECORD
from playbill.training import item_knn
from playbill.training.item_knn import ItemNeighbours
from playbill.training.list_figures import figures_of_lists
from playbill.training.sequences import Sequences

VIDEOS = 12


def sequences(taken: list[list[int]]) -> Sequences:
    viewers = np.repeat(np.arange(len(taken)), [len(each) for each in taken])
    items = np.array([video for each in taken for video in each], np.int64)
    return Sequences(items, viewers, np.ones(len(items), np.int64))


def plainly(taken: list[list[int]]) -> np.ndarray:
    """Return (I, I) cosines of who took two videos."""
    who = [{v for v, each in enumerate(taken) if video in each} for video in range(VIDEOS)]
    found = np.zeros((VIDEOS, VIDEOS))
    for a in range(VIDEOS):
        for b in range(VIDEOS):
            if a != b and who[a] and who[b]:
                found[a, b] = len(who[a] & who[b]) / np.sqrt(len(who[a]) * len(who[b]))
    return found


lists = st.lists(
    st.lists(st.integers(0, VIDEOS - 1), min_size=1, max_size=8), min_size=1, max_size=9
)


@settings(deadline=None)
@given(taken=lists)
def test_neighbours_are_cosines_of_who_took_both(taken):
    found = ItemNeighbours.of(sequences(taken), VIDEOS)
    assert found.matrix.toarray() == pytest.approx(plainly(taken), abs=1e-5)
    asked = [np.array(each) for each in taken]
    expected = [plainly(taken)[each].sum(axis=0) for each in taken]
    assert found.scores(asked) == pytest.approx(np.array(expected), abs=1e-4)


def test_only_the_strongest_neighbours_and_the_latest_videos_count(monkeypatch):
    taken = [[0, 1, 2], [0, 1], [0, 1, 3]]
    monkeypatch.setattr(item_knn, "NEIGHBOURS", 1)
    matrix = ItemNeighbours.of(sequences(taken), VIDEOS).matrix.toarray()
    assert (matrix > 0).sum(axis=1).max() == 1
    assert matrix[0, 1] == pytest.approx(1.0)
    monkeypatch.setattr(item_knn, "LATEST", 2)
    assert ItemNeighbours.of(sequences(taken), VIDEOS).matrix.toarray()[2, 0] == 0.0


def test_lists_are_told_by_hand_worked_figures():
    items = np.zeros(4, ITEM_RECORD)
    items["author"] = [0, 0, 1, 2]
    items["created_at_ms"] = [0, DAY_MS, 3 * DAY_MS, 4 * DAY_MS]
    among = np.array([True, True, True, False])
    found = figures_of_lists(np.array([6, 2, 0, 0]), among, np.array([3, 1, 1, 0]), items)
    assert found["coverage"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["novelty"] == pytest.approx((6 * 1.0 + 2 * 2.0) / 8)
    assert found["top_videos"] == pytest.approx(6 / 8)
    assert found["top_authors"] == 1.0
    assert found["age_days"] == pytest.approx((6 * 4 + 2 * 3) / 8)
