"""What comes next by counts is the sum that a plain reading of the rule gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import item_view, query, unit, viewer
from playbill.core import InvalidInput
from playbill.features import VISIBLE
from playbill.features.layout import CLICKED, DISLIKED, LIKED, WATCHED
from playbill.retrieval import CatalogueVectors, NextSource, Transitions, VectorIndex

COUNT = 40
INDEXED = 30
_MATRIX = unit(np.random.default_rng(4).normal(size=(COUNT, 8)))


def transitions_of(edges) -> Transitions:
    """Return those of ``INDEXED`` videos by number from (leading, after) to weight."""
    ordered = sorted(edges, key=lambda pair: (pair[0], -edges[pair], pair[1]))
    leading = np.array([pair[0] for pair in ordered], np.int64)
    starts = np.searchsorted(leading, np.arange(INDEXED + 1)).astype(np.int64)
    followers = np.array([pair[1] for pair in ordered], np.int32)
    return Transitions(starts, followers, np.array([edges[p] for p in ordered], np.float32))


def table_of(edges) -> CatalogueVectors:
    """Return a table in which row n stands at the place that its key says."""
    index = VectorIndex.build(_MATRIX[:INDEXED], np.arange(1, INDEXED + 1, dtype=np.uint64), 1)
    rows = index.keys.astype(np.int32) - 1
    numbers = np.empty(INDEXED, np.int64)
    numbers[rows] = np.arange(INDEXED)
    by_place = transitions_of(edges).renumbered(numbers, INDEXED)
    table = CatalogueVectors(index, rows, None, by_place)
    table.extend(item_view(COUNT).tables, _Tower())
    return table


class _Tower:
    def vectors(self, items):
        return _MATRIX[items["key"].astype(np.int64) - 1]


_EDGES = st.dictionaries(
    st.tuples(st.integers(0, INDEXED - 1), st.integers(0, INDEXED - 1)),
    st.integers(1, 4096).map(lambda n: n / 1024),
    max_size=120,
)


@law(80)
@given(
    edges=_EDGES,
    history=st.lists(st.integers(0, COUNT + 3), max_size=24, unique=True),
    actions=st.lists(
        st.sampled_from([CLICKED, LIKED, WATCHED, LIKED | DISLIKED]), min_size=24, max_size=24
    ),
    hidden=st.sets(st.integers(0, COUNT - 1), max_size=10),
    quota=st.integers(1, 50),
)
def test_followers_are_summed_over_recent_videos(edges, history, actions, hidden, quota):
    view = item_view(COUNT)
    view.tables.items["flags"] = [0 if row in hidden else VISIBLE for row in range(COUNT)]
    user = viewer(history=history, actions=actions[: len(history)])

    rows = NextSource(table_of(edges)).retrieve(query(user), view, quota).tolist()

    took = [
        row
        for row, action in zip(history, actions, strict=False)
        if action & (CLICKED | LIKED) and not action & DISLIKED
    ]
    sums: dict[int, float] = {}
    for place, row in enumerate(took[:16]):
        for (leading, after), weight in edges.items():
            if leading == row:
                sums[after] = sums.get(after, 0.0) + math.exp(-0.3 * place) * weight
    expected = {
        row: total for row, total in sums.items() if row not in hidden and row not in history
    }
    assert len(rows) == min(quota, len(expected))
    assert len(set(rows)) == len(rows)
    told = [expected[row] for row in rows]
    assert told == pytest.approx(sorted(expected.values(), reverse=True)[: len(rows)], rel=1e-5)


def test_a_bundle_without_counts_finds_nothing():
    table = CatalogueVectors(table_of({}).index, np.arange(INDEXED, dtype=np.int32))
    user = viewer(history=[1, 2], actions=[LIKED, LIKED])
    assert NextSource(table).retrieve(query(user), item_view(COUNT), 5).tolist() == []


def test_videos_posted_after_the_first_page_are_not_looked_for():
    table = table_of({(1, 5): 1.0, (1, 20): 2.0})
    asked = query(viewer(history=[1], actions=[LIKED]))
    source, view = NextSource(table), item_view(COUNT)
    assert source.retrieve(asked, view, 5).tolist() == [20, 5]
    asked.below = 10
    assert source.retrieve(asked, view, 5).tolist() == [5]


def test_new_numbers_leave_out_videos_that_have_none():
    found = transitions_of({(0, 1): 1.0, (0, 2): 3.0, (2, 0): 2.0})
    numbers = np.full(INDEXED, -1, np.int64)
    numbers[[0, 2]] = [1, 0]
    renumbered = found.renumbered(numbers, 2)
    assert renumbered.starts.tolist() == [0, 1, 2]
    assert renumbered.followers.tolist() == [1, 0]
    assert renumbered.weights.tolist() == [2.0, 3.0]


def test_they_come_back_from_their_files(tmp_path):
    found = transitions_of({(0, 1): 1.0, (3, 2): 3.0})
    found.save(tmp_path / "transitions")
    loaded = Transitions.load(tmp_path / "transitions")
    for told, expected in zip(loaded.arrays, found.arrays, strict=True):
        assert told.tolist() == expected.tolist()
        assert not told.flags.writeable


def test_a_folder_that_is_not_there_is_no_transitions(tmp_path):
    assert len(Transitions.load(tmp_path / "transitions").followers) == 0


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        ("starts", np.array([0, 3, 2]), "do not follow each other"),
        ("starts", np.array([0, 1]), "do not follow each other"),
        ("starts", np.array([0, 1, 2], np.int32), "row of int64"),
        ("followers", np.array([0, 2], np.int32), "beyond its 2"),
        ("followers", np.array([-1, 1], np.int32), "beyond its 2"),
        ("followers", np.array([0], np.int32), "do not follow|weights"),
        ("weights", np.array([[1.0, 2.0]], np.float32), "row of float32"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, name, array, says):
    folder = tmp_path / "transitions"
    Transitions(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2, np.float32)).save(
        folder
    )
    np.save(folder / f"{name}.npy", array)
    with pytest.raises(InvalidInput, match=says):
        Transitions.load(folder)


def test_a_truncated_file_is_refused(tmp_path):
    folder = tmp_path / "transitions"
    transitions_of({(0, 1): 1.0}).save(folder)
    path = folder / "weights.npy"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(InvalidInput, match="cannot be read"):
        Transitions.load(folder)
