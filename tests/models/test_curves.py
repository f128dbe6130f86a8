"""A number passes a line that bends at its own quantiles, in three forms that say the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.models.curves import NARROWEST, read_numbers, stretches_of
from playbill.models.networks import LARGEST_DEVIATION, RankerNetwork, RankerShape
from playbill.models.onnx_graphs import ranker_graph
from playbill.models.onnx_wire import Graph

FEATURES, STRETCHES = 5, 4


def network_of(seed, rows):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = RankerShape(FEATURES, (2, 2, 2), hidden=(3,), stretches=STRETCHES)
        network = RankerNetwork(shape, rows.mean(axis=0), rows.std(axis=0)).eval()
        network.bend_at(torch.from_numpy(rows))
        torch.nn.init.normal_(network.bends)
    return network


def numbers_of(network, dense):
    """Return what a network's first layer is asked for some rows."""
    asked = []
    hook = network.body.register_forward_pre_hook(lambda module, inputs: asked.append(inputs[0]))
    with torch.no_grad():
        network(torch.from_numpy(dense), torch.zeros(len(dense), 3, dtype=torch.int64))
    hook.remove()
    return asked[0][:, :FEATURES].numpy()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), odd=st.sampled_from((np.nan, np.inf, -np.inf, 3e38, 0.0)))
def test_network_and_reference_read_the_same_numbers(seed, odd):
    random = np.random.default_rng(seed)
    rows = random.normal(3.0, 20.0, (50, FEATURES)).astype(np.float32)
    network = network_of(seed, rows)
    constants = Graph.read(ranker_graph(network)).constants
    rows[0, 1] = odd
    assert numbers_of(network, rows) == pytest.approx(read_numbers(constants, rows), abs=1e-5)


def test_until_something_is_learned_a_curve_is_straight():
    rows = np.random.default_rng(1).normal(0.0, 1.0, (50, FEATURES)).astype(np.float32)
    network = network_of(1, rows)
    bent = numbers_of(network, rows)
    torch.nn.init.zeros_(network.bends)
    straight = numbers_of(network, rows)
    assert straight == pytest.approx((rows - rows.mean(axis=0)) / rows.std(axis=0), abs=1e-5)
    assert not np.allclose(bent, straight, atol=0.1)


@settings(deadline=None)
@given(
    column=st.lists(
        st.floats(-LARGEST_DEVIATION, LARGEST_DEVIATION, width=32), min_size=1, max_size=60
    ),
    count=st.integers(1, 16),
)
def test_stretches_follow_each_other_and_hold_all_rows(column, count):
    scaled = np.array(column, np.float32)[:, None]
    starts, rates = stretches_of(scaled, count)
    assert starts.shape == rates.shape == (1, count)
    assert starts[0, 0] == scaled.min()
    assert (np.diff(starts[0]) >= 0.0).all()
    assert (1.0 / rates[0] >= NARROWEST * 0.999).all()
    assert starts[0, -1] + 1.0 / rates[0, -1] >= scaled.max() - 1e-5


def test_many_rows_of_one_value_make_a_step():
    starts, rates = stretches_of(np.zeros((10, 1), np.float32), 3)
    assert starts.tolist() == [[0.0, 0.0, 0.0]]
    assert rates == pytest.approx(np.full((1, 3), 1.0 / NARROWEST))


def test_what_has_no_quantiles_stays_straight():
    """Columns behind those that ``bend_at`` is shown pass as they are."""
    rows = np.random.default_rng(2).normal(0.0, 1.0, (50, FEATURES)).astype(np.float32)
    shape = RankerShape(FEATURES, (2, 2, 2), hidden=(3,), stretches=STRETCHES)
    network = RankerNetwork(shape, np.zeros(FEATURES), np.ones(FEATURES)).eval()
    network.bend_at(torch.from_numpy(rows[:, : FEATURES - 1]))
    torch.nn.init.ones_(network.bends)
    read = numbers_of(network, rows)
    assert read[:, -1].tolist() == rows[:, -1].tolist()
    assert not np.isclose(read[:, :-1], rows[:, :-1]).all()
