"""The vector index against looking at every vector, in memory and on disk."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import unit
from playbill.core import InvalidInput
from playbill.retrieval import VectorIndex, quantise

WIDTH = 16
FILES = ("groups", "group_starts", "centroids", "starts", "codes", "scales", "keys")


def _vectors(seed: int, count: int, width: int = WIDTH) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, width)))


def _clustered(seed: int, count: int, centres: int, width: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    middle = np.random.default_rng(99).normal(size=(centres, width))
    return unit(
        middle[random.integers(0, centres, count)] + 0.6 * random.normal(size=(count, width))
    )


def _keys(count: int) -> np.ndarray:
    return np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


@pytest.fixture(scope="module")
def index() -> VectorIndex:
    return VectorIndex.build(_vectors(5, 300), _keys(300), seed=1)


@law(60)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 120), scale=st.sampled_from([1e-6, 1.0, 1e6])
)
def test_a_code_is_within_half_a_step_of_its_number(seed, count, scale):
    vectors = (_vectors(seed, count) * scale).astype(np.float32)
    codes, scales = quantise(vectors)
    assert codes.dtype == np.int8
    assert (np.abs(codes) <= 127).all()
    assert (np.abs(codes).max(axis=1) == 127).all()
    error = np.abs(codes * scales[:, None] - vectors)
    assert (error <= scales[:, None] * 0.5001).all()


def test_a_vector_of_zeros_has_a_code_of_zeros():
    codes, scales = quantise(np.zeros((2, WIDTH), np.float32))
    assert not codes.any()
    assert np.isfinite(scales).all()
    assert (scales > 0).all()


@law(60)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 200),
    wanted=st.integers(1, 60),
)
def test_looking_through_every_list_ranks_as_exact_integers_do(seed, count, wanted):
    index = VectorIndex.build(_vectors(seed, count), _keys(count), seed=seed)
    query = _vectors(seed + 1, 1)[0]
    places, scores = index.search(query, wanted, index.everything)
    code, scale = quantise(query[None])
    exact = index.codes.astype(np.int64) @ code[0].astype(np.int64)
    exact = exact.astype(np.float64) * index.scales * float(scale[0])
    best = np.lexsort((np.arange(count), -exact))[:wanted]
    assert len(places) == min(wanted, count) == len(set(places.tolist()))
    np.testing.assert_allclose(scores, exact[best], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(scores, exact[places], rtol=1e-5, atol=1e-7)


@law(60)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 200), wanted=st.integers(1, 50))
def test_looking_into_more_lists_or_groups_finds_nothing_worse(seed, count, wanted):
    index = VectorIndex.build(_vectors(seed, count), _keys(count), seed=1)
    query = _vectors(seed + 1, 1)[0]
    groups, lists = index.everything
    efforts = [(groups, n) for n in range(1, lists + 1)], [(n, lists) for n in range(1, groups + 1)]
    for growing in efforts:
        before = np.empty(0)
        for effort in growing:
            _, scores = index.search(query, wanted, effort)
            assert (np.diff(scores) <= 0).all()
            assert len(scores) >= len(before)
            assert (scores[: len(before)] >= before).all()
            before = scores


def test_equal_scores_come_in_the_order_of_places():
    index = VectorIndex.build(np.tile(_vectors(1, 1), (9, 1)), _keys(9), seed=1)
    places, _ = index.search(_vectors(1, 1)[0], 9, index.everything)
    assert places.tolist() == list(range(9))


def test_nine_of_the_hundred_nearest_are_found_at_the_usual_effort():
    vectors = _clustered(7, 40_000, 300, 32)
    index = VectorIndex.build(vectors, _keys(40_000), seed=3)
    found = []
    for query in _clustered(8, 40, 300, 32):
        exact = np.argsort(-(vectors @ query), kind="stable")[:100]
        places, _ = index.search(query, 100)
        found.append(np.isin(_keys(40_000)[exact], index.keys[places]).mean())
    assert np.mean(found) > 0.9
    assert index.effort(100)[1] < len(index.centroids)


def test_effort_grows_with_what_is_wanted():
    index = VectorIndex.build(_vectors(5, 2_000), _keys(2_000), seed=1)
    efforts = [index.effort(count) for count in (1, 10, 100, 1_000)]
    assert efforts == sorted(efforts)
    assert efforts[0][1] >= 4


def test_every_vector_is_in_the_nearest_list_of_the_groups_beside_its_own(index):
    vectors = _vectors(5, 300)
    assert sorted(index.keys.tolist()) == sorted(_keys(300).tolist())
    place_of = {int(key): place for place, key in enumerate(index.keys)}
    near = np.argsort(-(index.groups @ index.groups.T), axis=1, kind="stable")[:, :3]
    for n, key in enumerate(_keys(300)):
        place = place_of[int(key)]
        owner = np.searchsorted(index.starts, place, side="right") - 1
        own = near[np.argmax(index.groups @ vectors[n])]
        lists = np.concatenate([np.arange(*index.group_starts[group : group + 2]) for group in own])
        best = (index.centroids[lists] @ vectors[n]).max()
        assert index.centroids[owner] @ vectors[n] == pytest.approx(best, abs=1e-5)
        np.testing.assert_array_equal(index.codes[place], quantise(vectors[n : n + 1])[0][0])


def test_a_seed_gives_the_same_index_and_another_seed_another():
    built = [VectorIndex.build(_vectors(5, 500), _keys(500), seed=seed) for seed in (1, 1, 2)]
    for name in FILES:
        assert getattr(built[0], name).tobytes() == getattr(built[1], name).tobytes()
    assert built[0].centroids.tobytes() != built[2].centroids.tobytes()


def test_one_vector_makes_an_index():
    index = VectorIndex.build(_vectors(1, 1), _keys(1), seed=0)
    places, scores = index.search(_vectors(1, 1)[0], 10)
    assert places.tolist() == [0]
    assert scores[0] == pytest.approx(1.0, abs=0.01)


def test_lists_may_be_empty():
    index = VectorIndex(
        unit(np.ones((1, 2))),
        np.array([0, 2]),
        unit(np.eye(2)),
        np.array([0, 0, 1]),
        np.ones((1, 2), np.int8),
        np.ones(1, np.float32),
        _keys(1),
    )
    places, _ = index.search(unit([1.0, 0.1]), 5, (1, 1))
    assert places.tolist() == []


@pytest.mark.parametrize(
    ("vectors", "keys", "message"),
    [
        (np.empty((0, 4), np.float32), _keys(0), "0 vectors and 0 keys"),
        (_vectors(1, 3), _keys(2), "3 vectors and 2 keys; an index needs one key a vector"),
        (np.array([[1.0, np.nan]], np.float32), _keys(1), "not finite; look at the item tower"),
        (np.array([[np.inf, 1.0]], np.float32), _keys(1), "not finite"),
    ],
)
def test_what_cannot_be_indexed_is_refused(vectors, keys, message):
    with pytest.raises(InvalidInput, match=message):
        VectorIndex.build(vectors, keys, seed=0)


def test_a_saved_index_finds_the_same_from_mapped_files(index, tmp_path):
    index.save(tmp_path / "index")
    loaded = VectorIndex.load(tmp_path / "index")
    for name in FILES:
        array = getattr(loaded, name)
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable
        np.testing.assert_array_equal(array, getattr(index, name))
    for query in _vectors(9, 10):
        ours, theirs = index.search(query, 20, (2, 3)), loaded.search(query, 20, (2, 3))
        assert ours[0].tolist() == theirs[0].tolist()
        assert ours[1].tobytes() == theirs[1].tobytes()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.arange(3))
    return file.getvalue()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["missing", "empty", "half", "garbage", "no array", "pickled"])
def test_a_file_that_cannot_be_read_is_refused(index, tmp_path, name, how):
    index.save(tmp_path / "index")
    file = tmp_path / "index" / f"{name}.npy"
    data = file.read_bytes()
    if how == "missing":
        file.unlink()
    elif how == "pickled":
        np.save(file, np.array([{}], object), allow_pickle=True)
    else:
        bad = {
            "empty": b"",
            "half": data[: len(data) // 2],
            "garbage": b"\xa5" * 400,
            "no array": _npz(),
        }
        file.write_bytes(bad[how])
    with pytest.raises(InvalidInput, match="the index in index cannot be read"):
        VectorIndex.load(tmp_path / "index")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("codes", lambda array: array[:-1]),
        ("codes", lambda array: array[:, :-1]),
        ("codes", lambda array: array.astype(np.float32)),
        ("codes", lambda array: array[0]),
        ("scales", lambda array: array[1:]),
        ("scales", lambda array: array[:, None]),
        ("scales", lambda array: array.astype(np.float64)),
        ("keys", lambda array: array[1:]),
        ("keys", lambda array: array.astype(np.float64)),
        ("groups", lambda array: array[1:]),
        ("groups", lambda array: array[:, 1:]),
        ("group_starts", lambda array: array[1:]),
        ("group_starts", lambda array: np.r_[array[:-1], array[-1:] - 1]),
        ("group_starts", lambda array: array[::-1]),
        ("centroids", lambda array: array[1:]),
        ("centroids", lambda array: array[:, 1:]),
        ("centroids", lambda array: array.ravel()),
        ("starts", lambda array: array[:0]),
        ("starts", lambda array: array[1:]),
        ("starts", lambda array: np.r_[array[:1] + 1, array[1:]]),
        ("starts", lambda array: np.r_[array[:1], array[1:-1][::-1], array[-1:]]),
        ("starts", lambda array: np.r_[array[:-1], array[-1:] + 1]),
        ("starts", lambda array: array.astype(np.int32)),
        ("starts", lambda array: np.r_[array[:1], [10**9], array[2:]]),
    ],
)
def test_files_that_do_not_fit_together_are_refused(index, tmp_path, name, change):
    """A scan trusts the index, so what does not fit must never reach it."""
    index.save(tmp_path / "index")
    np.save(tmp_path / "index" / f"{name}.npy", change(getattr(index, name)))
    with pytest.raises(InvalidInput, match="the index in index does not fit together"):
        VectorIndex.load(tmp_path / "index")
