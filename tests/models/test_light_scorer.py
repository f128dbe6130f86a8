import numpy as np
import pytest

from playbill.core import InvalidInput
from playbill.models import LightScorer
from playbill.training.light_training import describe_light, distil_light


def test_a_scorer_survives_a_file(tmp_path):
    scorer = LightScorer(np.array([1.0, -2.0], np.float32), np.float32(0.5))
    scorer.save(tmp_path / "light.npz")
    loaded = LightScorer.load(tmp_path / "light.npz")
    dense = np.array([[3.0, 1.0], [0.0, 0.0]], np.float32)
    assert loaded.score(dense).tolist() == [1.5, 0.5]


def test_what_is_no_number_counts_as_nothing():
    scorer = LightScorer(np.array([1.0, 1.0], np.float32), np.float32(0.0))
    dense = np.array([[np.nan, 2.0], [np.inf, 3.0]], np.float32)
    assert scorer.score(dense).tolist() == [2.0, 3.0]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 52, 63])
def test_a_score_is_the_sum_of_its_terms(count):
    random = np.random.default_rng(count)
    dense = random.normal(size=(30, count)).astype(np.float32)
    dense[random.random(dense.shape) < 0.1] = np.nan
    weights = random.normal(size=count).astype(np.float32)
    scorer = LightScorer(weights, np.float32(0.25))
    expected = np.nan_to_num(dense).astype(np.float64) @ weights.astype(np.float64) + 0.25
    assert scorer.score(dense) == pytest.approx(expected, abs=1e-5)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "light.npz"
    with pytest.raises(InvalidInput, match="is no light scorer"):
        LightScorer.load(path)
    path.write_text("nothing")
    with pytest.raises(InvalidInput, match="is no light scorer"):
        LightScorer.load(path)
    np.savez(path, weights=np.array([np.nan]), bias=0.0)
    with pytest.raises(InvalidInput, match="finite"):
        LightScorer.load(path)


def test_a_straight_utility_is_found_again():
    random = np.random.default_rng(0)
    dense = (random.random((5_000, 3)) * [1.0, 100.0, 0.0] + [0, 5, 2]).astype(np.float32)
    utility = (2.0 * dense[:, 0] - 0.03 * dense[:, 1] + 7.0).astype(np.float32)
    scorer = distil_light(dense, utility, threads=1)
    assert scorer.score(dense) == pytest.approx(utility, abs=0.01)
    assert scorer.weights[2] == 0.0
    found = describe_light(scorer, dense, utility)
    assert found["correlation"] == pytest.approx(1.0, abs=1e-3)
