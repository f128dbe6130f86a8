import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from playbill.core import DependencyUnavailable, InvalidInput
from playbill.models import Ranker, UserTower
from playbill.models.networks import RankerNetwork, RankerShape
from playbill.models.onnx_graphs import ranker_graph

FEATURES = 6


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        shape = RankerShape(FEATURES, (3, 2, 5), hidden=(16, 8))
        mean = np.arange(FEATURES, dtype=np.float32)
        deviation = np.array([1, 2, 3, 0, 1, 1], np.float32)
        return RankerNetwork(shape, mean, deviation).eval()


@pytest.fixture(scope="module")
def ranker(network):
    return Ranker.load(ranker_graph(network), FEATURES)


def scored(network, dense, categories):
    with torch.no_grad():
        logits = network(torch.from_numpy(dense), torch.from_numpy(categories))
    return torch.sigmoid(logits).numpy()


def test_the_graph_says_what_the_network_says(network, ranker):
    random = np.random.default_rng(0)
    dense = random.normal(0, 50, (400, FEATURES)).astype(np.float32)
    categories = random.integers(-2, 8, (400, 3))
    p = ranker.score(dense, categories)
    assert p.shape == (400, 4)
    assert p == pytest.approx(scored(network, dense, categories), abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_no_number_counts_as_the_mean(ranker, bad):
    dense = np.arange(FEATURES, dtype=np.float32)[None, :].copy()
    none = np.zeros((1, 3), np.int64)
    expected = ranker.score(dense, none)
    for column in range(FEATURES):
        odd = dense.copy()
        odd[0, column] = bad
        assert ranker.score(odd, none) == pytest.approx(expected, abs=1e-6)


def test_codes_out_of_range_count_as_none(ranker):
    dense = np.ones((4, FEATURES), np.float32)
    categories = np.array([[0, 0, 0], [-1, 2, 5], [3, 99, 10**12], [-(10**12), -1, -1]])
    p = ranker.score(dense, categories)
    assert (p == p[0]).all()


def test_a_constant_feature_says_nothing(ranker):
    dense = np.zeros((2, FEATURES), np.float32)
    dense[1, 3] = 1e6
    p = ranker.score(dense, np.zeros((2, 3), np.int64))
    assert (p[0] == p[1]).all()


def test_graphs_of_one_network_have_the_same_bytes(network):
    assert ranker_graph(network) == ranker_graph(network)


def test_files_that_are_no_graphs_are_refused(tmp_path, network):
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        Ranker.load(tmp_path / "ranker.onnx", FEATURES)
    (tmp_path / "ranker.onnx").write_bytes(ranker_graph(network)[:500])
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        Ranker.load(tmp_path / "ranker.onnx", FEATURES)


def test_a_graph_of_other_inputs_is_refused(network):
    with pytest.raises(InvalidInput, match="the graph takes") as refusal:
        Ranker.load(ranker_graph(network), FEATURES + 1)
    assert "train again with this version" in refusal.value.hint
    with pytest.raises(InvalidInput, match="the graph takes"):
        UserTower.load(ranker_graph(network))


def test_a_run_that_fails_is_a_dependency_that_is_gone(ranker):
    with pytest.raises(DependencyUnavailable, match="the graph of 'p' failed"):
        ranker.score(np.zeros((2, FEATURES + 1), np.float32), np.zeros((2, 3), np.int64))


def test_importing_the_models_loads_no_torch():
    command = "import playbill.models, sys; print(sorted({'torch', 'onnx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_collected_about_the_machine(tmp_path, network):
    """ONNX Runtime keeps what it would send home in a cache folder of the user's."""
    graph = tmp_path / "ranker.onnx"
    graph.write_bytes(ranker_graph(network))
    load = f"Ranker.load(Path({str(graph)!r}), {FEATURES})"
    command = f"from pathlib import Path; from playbill.models import Ranker; {load}"
    home = tmp_path / "somebody"
    home.mkdir()
    variables = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    variables.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", command], check=True, env=variables)
    assert list(home.rglob("*")) == []
