"""Eight-bit layers serve where they rank as float32 does, and only there."""

import numpy as np
import pytest
import torch

from playbill.models import RANKER_INPUTS, VIEWER_INPUTS, Interests
from playbill.models.networks import RankerNetwork, RankerShape
from playbill.models.onnx_graphs import ranker_graph
from playbill.training.eight_bit_training import (
    CANDIDATES,
    LEAST_OVERLAP,
    Lists,
    fit_eight_bits,
    lists_of,
)

VALUE = np.array([1.0, 2.0, 4.0, -12.0], np.float32)
SIZES = (2, 2, 5)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        zeros = np.zeros(RANKER_INPUTS, np.float32)
        shape = RankerShape(RANKER_INPUTS, SIZES, hidden=(32, 48, 16))
        return RankerNetwork(shape, zeros, zeros + np.float32(1.0)).eval()


@pytest.fixture
def lists():
    random = np.random.default_rng(4)
    asked = random.normal(size=(20, CANDIDATES, RANKER_INPUTS)).astype(np.float32)
    asked[:, :, np.array(VIEWER_INPUTS)] = asked[:, :1, np.array(VIEWER_INPUTS)]
    return Lists(asked, np.ones((20, CANDIDATES, 3), np.int64))


def test_a_ranker_that_keeps_its_order_is_carried(network, lists):
    ranges, said = fit_eight_bits(ranker_graph(network), lists, VALUE)
    assert said["carried"]
    assert LEAST_OVERLAP <= said["overlap"] <= 1.0
    assert said["lists"] == 10
    assert [len(of) for of in ranges.ranges] == [32, 48]


def test_a_ranker_that_loses_its_order_is_not(network, lists):
    """One weight outgrows the others by so much that their codes are all 0."""
    coarse = RankerNetwork(network.shape, *(np.zeros(RANKER_INPUTS, np.float32),) * 2)
    coarse.load_state_dict(network.state_dict())
    with torch.no_grad():
        coarse.body[0].weight[0] = 0.0
        coarse.body[0].bias[0] = 1.0
        coarse.body[3].weight[:, 0] = 1e4
        coarse.body[3].bias -= 1e4
    ranges, said = fit_eight_bits(ranker_graph(coarse.eval()), lists, VALUE)
    assert ranges is None
    assert not said["carried"]
    assert said["overlap"] < LEAST_OVERLAP


def test_too_few_lists_are_no_test(network, lists):
    few = Lists(lists.asked[:9], lists.categories[:9])
    ranges, said = fit_eight_bits(ranker_graph(network), few, VALUE)
    assert ranges is None
    assert said == {"first": 20, "needed": LEAST_OVERLAP, "lists": 4, "overlap": None} | {
        "carried": False
    }


def test_a_network_without_layers_in_between_has_none_of_eight_bits(lists):
    zeros = np.zeros(RANKER_INPUTS, np.float32)
    plain = RankerNetwork(RankerShape(RANKER_INPUTS, SIZES, hidden=(8,)), zeros, zeros + 1.0)
    ranges, said = fit_eight_bits(ranker_graph(plain.eval()), lists, VALUE)
    assert ranges is None
    assert not said["carried"]


def test_lists_have_one_viewer_each_and_are_drawn_the_same_way_again(rows, histories):
    random = np.random.default_rng(1)
    codes = random.normal(size=(int(rows.items.max()) + 1, 8)).astype(np.float32)
    interests = Interests.of(codes, random.normal(size=(256, 8)).astype(np.float32))
    lists = lists_of(rows, histories, interests, 3)
    mine = np.array(VIEWER_INPUTS)
    assert len(lists.asked) == len(rows) // CANDIDATES > 0
    assert (lists.asked[:, :, mine] == lists.asked[:, :1, mine]).all()
    assert (lists.categories[:, :, :-1] == lists.categories[:, :1, :-1]).all()
    assert (lists.asked[:, :, ~mine].std(axis=1) > 0.0).any(axis=1).all()
    again = lists_of(rows, histories, interests, 3)
    assert again.asked.tobytes() == lists.asked.tobytes()
    assert lists_of(rows, histories, interests, 4).asked.tobytes() != lists.asked.tobytes()
