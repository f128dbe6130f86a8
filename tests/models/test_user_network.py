"""The user tower: what was exported says what was trained, and the future changes nothing."""

import numpy as np
import pytest
import torch

from playbill.features.layout import HISTORY
from playbill.models import UserTower
from playbill.models.user_graph import user_tower_graph
from playbill.models.user_history import KINDS
from playbill.models.user_network import UserNetwork


@pytest.fixture(scope="module")
def network():
    """A network whose every part says something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = UserNetwork().eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


@pytest.fixture(scope="module")
def history():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(HISTORY, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, random.integers(0, KINDS, HISTORY)


def trained(network, vectors, kinds):
    with torch.no_grad():
        found = network(torch.from_numpy(vectors)[None], torch.from_numpy(kinds)[None])
    return found[0].numpy()


def test_the_graph_says_what_the_network_says_of_any_history(network, history):
    tower, (vectors, kinds) = UserTower.load(user_tower_graph(network)), history
    expected = trained(network, vectors, kinds)
    for count in range(HISTORY + 1):
        found = tower.vector(vectors[:count], kinds[:count])
        assert found == pytest.approx(expected[count], abs=2e-5)


def test_graphs_of_one_network_have_the_same_bytes(network):
    assert user_tower_graph(network) == user_tower_graph(network)


def test_what_comes_later_changes_no_earlier_place(network, history):
    vectors, kinds = history
    other = vectors.copy()
    other[10:] = -other[10:]
    before, after = trained(network, vectors, kinds), trained(network, other, kinds)
    assert before[:11] == pytest.approx(after[:11], abs=1e-6)
    assert (np.abs(before[11:] - after[11:]).max(axis=1) > 1e-3).all()


def test_order_and_kind_matter(network, history):
    vectors, kinds = history
    expected = trained(network, vectors, kinds)[-1]
    turned = trained(network, vectors[::-1].copy(), kinds[::-1].copy())[-1]
    assert np.abs(turned - expected).max() > 1e-3
    otherwise = trained(network, vectors, (kinds + 1) % KINDS)[-1]
    assert np.abs(otherwise - expected).max() > 1e-3


def test_vectors_have_length_one(network, history):
    lengths = np.linalg.norm(trained(network, *history), axis=1)
    assert lengths == pytest.approx(1.0, abs=1e-5)
