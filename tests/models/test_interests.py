"""Interests: what trains, what judges and what serves read the same numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import InvalidInput
from playbill.features import empty_user
from playbill.models import INTERESTS, Interests
from playbill.models.interest_network import InterestNetwork
from playbill.models.interests import CODES_FILE, DEEDS, DEEDS_FILE

VIDEOS, HISTORY = 30, 32


def drawn(seed: int) -> Interests:
    random = np.random.default_rng(seed)
    videos = random.normal(0, 0.2, (VIDEOS, INTERESTS)).astype(np.float32)
    videos[::5] = 0.0
    deeds = random.normal(0, 0.05, (DEEDS, INTERESTS)).astype(np.float32)
    return Interests.of(videos, deeds)


def viewer_of(videos, actions) -> np.ndarray:
    user = empty_user()
    user["history"][0, : len(videos)] = videos
    user["history_action"][0, : len(actions)] = actions
    user["history_count"] = len(videos)
    user.flags.writeable = False
    return user


def plainly(interests: Interests, row: int, videos, actions) -> np.ndarray:
    """The same as one would write it down, in double precision."""
    table = interests.codes.astype(np.float64) * interests.step

    def of(video: int) -> np.ndarray:
        return table[video] if video < VIDEOS else np.zeros(INTERESTS)

    known = [of(v) + interests.deeds[a] for v, a in zip(videos, actions, strict=True) if a]
    mean = np.mean(known, axis=0) if known else np.zeros(INTERESTS)
    return np.concatenate([mean, mean * of(row)])


histories = st.lists(
    st.tuples(st.integers(0, VIDEOS + 5), st.integers(1, 63)), min_size=0, max_size=HISTORY
)


@settings(deadline=None)
@given(seed=st.integers(0, 99), history=histories, row=st.integers(0, VIDEOS + 5))
def test_serving_and_judging_read_the_same_bits_and_they_are_right(seed, history, row):
    interests = drawn(seed)
    videos, actions = [v for v, _ in history], [a for _, a in history]
    user, features = viewer_of(videos, actions), np.arange(9, dtype=np.float32).reshape(3, 3)
    asked = interests.ranker_input(features, np.array([2, 0]), np.array([row, 1]), user)
    padded = np.zeros((1, HISTORY), np.uint32), np.zeros((1, HISTORY), np.uint8)
    padded[0][0, : len(videos)], padded[1][0, : len(actions)] = videos, actions
    judged = interests.crossed(np.array([row]), *padded)
    assert (asked[:, :3] == features[[2, 0]]).all()
    assert (asked[0, 3:] == judged[0]).all()
    assert asked[0, 3:] == pytest.approx(plainly(interests, row, videos, actions), abs=1e-6)


def test_a_viewer_without_a_past_and_a_new_video_cross_to_nothing():
    ones, first, new = np.ones((1, 2), np.float32), np.array([0]), np.array([10**6])
    asked = drawn(1).ranker_input(ones, first, new, empty_user())
    assert asked[0].tolist() == [1.0, 1.0] + [0.0] * 2 * INTERESTS


def test_what_is_shipped_is_what_the_network_goes_on_with():
    places = np.array([0, 1, 2, 0, 3])
    torch.manual_seed(2)
    network = InterestNetwork(places).eval()
    with torch.no_grad():
        network.videos.weight[1:] *= 3.7
    shipped = network.rounded()
    assert (shipped.codes[[0, 3]] == 0).all()
    assert shipped.codes.shape == (5, INTERESTS)
    random = np.random.default_rng(0)
    rows, recent = random.integers(0, 5, 40), random.integers(0, 5, (40, HISTORY))
    actions = random.integers(0, 64, (40, HISTORY))
    actions[:3] = 0
    with torch.no_grad():
        said = network(*(torch.from_numpy(array) for array in (rows, recent, actions))).numpy()
    found = shipped.crossed(rows, recent.astype(np.uint32), actions.astype(np.uint8))
    assert found == pytest.approx(said, abs=1e-6)


def test_rounding_is_within_half_a_step():
    random = np.random.default_rng(3)
    videos = random.normal(0, 1, (200, INTERESTS)).astype(np.float32)
    found = Interests.of(videos, np.zeros((DEEDS, INTERESTS), np.float32))
    assert np.abs(found.codes * found.step - videos).max() <= 0.5001 * found.step
    assert np.abs(found.codes.astype(np.int64)).max() == 127


def test_files_give_back_what_was_saved_mapped(tmp_path):
    interests = drawn(4)
    interests.save(tmp_path)
    loaded = Interests.load(tmp_path)
    assert (loaded.codes == interests.codes).all()
    assert not loaded.codes.flags.writeable
    assert loaded.step == interests.step
    before = [(tmp_path / name).read_bytes() for name in (CODES_FILE, DEEDS_FILE)]
    interests.save(tmp_path)
    assert before == [(tmp_path / name).read_bytes() for name in (CODES_FILE, DEEDS_FILE)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / CODES_FILE).unlink(),
        lambda folder: (folder / CODES_FILE).write_bytes(b"nonsense"),
        lambda folder: np.save(folder / CODES_FILE, np.zeros((4, 3), np.int8)),
        lambda folder: np.save(folder / CODES_FILE, np.zeros((4, INTERESTS), np.float32)),
        lambda folder: (folder / DEEDS_FILE).write_bytes(b""),
        lambda folder: np.savez(folder / DEEDS_FILE, step=np.float32(1), deeds=np.zeros((1, 1))),
        lambda folder: np.savez(
            folder / DEEDS_FILE, step=np.float32(np.nan), deeds=np.zeros((DEEDS, INTERESTS))
        ),
    ],
)
def test_a_spoiled_file_is_refused_when_it_is_loaded(tmp_path, spoil):
    drawn(5).save(tmp_path)
    spoil(tmp_path)
    with pytest.raises(InvalidInput) as refusal:
        Interests.load(tmp_path)
    assert refusal.value.hint == "train again or restore the bundle"
