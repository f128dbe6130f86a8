"""What a request is answered with is what the bundle's graph says."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import DependencyUnavailable, InvalidInput
from playbill.models import (
    EightBits,
    Ranker,
    ServedRanker,
    onnx_wire,
    served_kernel,
    served_layers,
    served_ranker,
    warm_layers,
    whole_layers_kernel,
)
from playbill.models.layers_graph import layers_graph
from playbill.models.networks import RankerNetwork, RankerShape
from playbill.models.onnx_graphs import ranker_graph
from playbill.models.whole_product_kernel import multiplies_whole_numbers

FEATURES = 7
VIEWERS = (False, True, False, True, True, False, False)
SIZES = (3, 4, 9)
HIDDEN = (16, 24, 8)
ODD = (np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0)


@pytest.fixture(scope="module", params=[0, 4], ids=["straight", "curves"])
def network(request):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        shape = RankerShape(FEATURES, SIZES, hidden=HIDDEN, stretches=request.param)
        mean = np.arange(FEATURES, dtype=np.float32)
        deviation = np.array([1, 2, 3, 0, 1, 1, 40], np.float32)
        network = RankerNetwork(shape, mean, deviation).eval()
        network.shifts.copy_(torch.randn(network.shifts.shape))
        if request.param:
            network.bend_at(torch.randn(100, FEATURES - 1) * 20.0)
            torch.nn.init.normal_(network.bends)
        return network


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "ranker.onnx"
    path.write_bytes(ranker_graph(network))
    return path


@pytest.fixture(scope="module")
def whole(path):
    return Ranker.load(path, FEATURES)


@pytest.fixture(scope="module")
def served(path):
    return ServedRanker.load(path, VIEWERS)


def request_of(seed, count, odd=()):
    """Return features and codes of one request; ``odd`` holds (row, column, number)."""
    random = np.random.default_rng(seed)
    dense = random.normal(0, 20, (count, FEATURES)).astype(np.float32)
    categories = random.integers(-2, 11, (count, len(SIZES)))
    for row, column, number in odd:
        dense[row % count, column] = number
    dense[:, np.array(VIEWERS)] = dense[0, np.array(VIEWERS)]
    categories[:, :-1] = categories[0, :-1]
    return dense, categories


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    odd=st.lists(
        st.tuples(st.integers(0, 39), st.integers(0, FEATURES - 1), st.sampled_from(ODD)),
        max_size=8,
    ),
)
def test_a_request_gets_what_the_graph_says(whole, served, seed, count, odd):
    asked = request_of(seed, count, odd)
    assert served.score(*asked) == pytest.approx(whole.score(*asked), abs=2e-6)


@pytest.mark.parametrize("viewers", [(True,) * FEATURES, (False,) * FEATURES])
def test_features_may_all_be_the_viewers_or_none_of_them(path, whole, viewers):
    served = ServedRanker.load(path, viewers)
    dense, categories = request_of(5, 20)
    if all(viewers):
        dense[:] = dense[0]
    assert served.score(dense, categories) == pytest.approx(
        whole.score(dense, categories), abs=2e-6
    )


def test_a_reply_is_not_changed_by_the_next_one(served):
    first = request_of(1, 5)
    p_action = served.score(*first)
    before = p_action.copy()
    served.score(*request_of(2, 5))
    assert p_action.tobytes() == before.tobytes()
    assert served.score(*first).tobytes() == before.tobytes()


def test_no_candidates_have_no_probabilities(served):
    dense, categories = request_of(1, 1)
    assert served.score(dense[:0], categories[:0]).shape == (0, 4)


@pytest.mark.parametrize("bits", [32, 8])
def test_loading_or_warming_compiles_all_that_a_request_needs(path, bits):
    """Its network has as many layers as a usual one, and so what is warmed fits it."""
    ranges = EightBits(tuple(np.ones(width, np.float32) for width in HIDDEN[:-1]))
    kernels = served_kernel.fill_layers_input, whole_layers_kernel.fill_logits
    warm_layers()
    ready = [list(kernel.signatures) for kernel in kernels]
    served = ServedRanker.load(path, VIEWERS, ranges if bits == 8 else None)
    served.score(*request_of(1, 3))
    assert [list(kernel.signatures) for kernel in kernels] == ready
    assert [len(found) for found in ready] == [1, int(multiplies_whole_numbers())]


def renamed(model):
    for node in model.graph.node:
        node.output[:] = [name.replace("centred", "middled") for name in node.output]
        node.input[:] = [name.replace("centred", "middled") for name in node.input]


def numbered(model):
    """Write one constant as a list of numbers instead of bytes."""
    for tensor in model.graph.initializer:
        if tensor.name == "bias_1":
            numbers = np.frombuffer(tensor.raw_data, np.float32).tolist()
            tensor.ClearField("raw_data")
            tensor.float_data.extend(numbers)


@pytest.mark.parametrize("change", [renamed, numbered])
def test_a_graph_of_another_make_is_run_as_it_is(network, whole, tmp_path, change):
    import onnx

    model = onnx.load_from_string(ranker_graph(network))
    change(model)
    path = tmp_path / "ranker.onnx"
    onnx.save(model, path)
    served = ServedRanker.load(path, VIEWERS)
    assert isinstance(served._scorer, Ranker)
    asked = request_of(4, 30)
    assert served.score(*asked).tobytes() == whole.score(*asked).tobytes()


def test_layers_that_say_something_else_are_refused(path, monkeypatch):
    graph = served_ranker.layers_graph

    def louder(weights, biases):
        return graph([*weights[:-1], weights[-1] * np.float32(1.5)], biases)

    monkeypatch.setattr(served_ranker, "layers_graph", louder)
    with pytest.raises(InvalidInput, match="its layers give"):
        ServedRanker.load(path, VIEWERS)


def test_a_graph_of_other_features_is_refused(path):
    with pytest.raises(InvalidInput, match="the graph takes"):
        ServedRanker.load(path, (*VIEWERS, False))


def test_layers_that_fail_are_a_dependency_that_is_gone(path, monkeypatch):
    served = ServedRanker.load(path, VIEWERS)

    class Broken:
        def run_with_iobinding(self, _binding):
            raise served_layers.REFUSALS[0]("no memory")

    asked = request_of(1, 5)
    served.score(*asked)
    monkeypatch.setattr(served._scorer._runner, "_session", Broken())
    with pytest.raises(DependencyUnavailable, match="layers failed"):
        served.score(*asked)


def test_a_file_is_read_as_the_library_reads_it(network):
    import onnx
    from onnx import numpy_helper

    model = ranker_graph(network)
    found, expected = onnx_wire.Graph.read(model), onnx.load_from_string(model).graph
    assert [(n.kind, n.inputs, n.outputs) for n in found.nodes] == [
        (n.op_type, tuple(n.input), tuple(n.output)) for n in expected.node
    ]
    assert list(found.constants) == [tensor.name for tensor in expected.initializer]
    for tensor in expected.initializer:
        array = numpy_helper.to_array(tensor)
        assert found.constants[tensor.name].dtype == array.dtype
        assert found.constants[tensor.name].shape == array.shape
        assert found.constants[tensor.name].tobytes() == array.tobytes()


def test_a_graph_of_layers_is_one_that_any_runtime_takes():
    import onnx
    from onnx.reference import ReferenceEvaluator

    random = np.random.default_rng(0)
    sizes = (5, 300, 3, 2)
    weights = [random.normal(size=pair).astype(np.float32) for pair in pairwise(sizes)]
    biases = [random.normal(size=size).astype(np.float32) for size in sizes[1:]]
    model = onnx.load_from_string(layers_graph(weights, biases[1:-1]))
    onnx.checker.check_model(model, full_check=True)
    x = random.normal(size=(4, 5)).astype(np.float32)
    asked = {"x": x, "first_bias": biases[0][None], "last_bias": biases[-1][None]}
    (p,) = ReferenceEvaluator(model).run(None, asked)
    hidden = np.maximum(x @ weights[0] + biases[0], 0)
    hidden = np.maximum(hidden @ weights[1] + biases[1], 0)
    assert p == pytest.approx(1 / (1 + np.exp(-(hidden @ weights[2] + biases[2]))), abs=1e-4)


def test_a_graph_of_one_layer_adds_up_both_biases():
    import onnx
    from onnx.reference import ReferenceEvaluator

    weight = np.eye(3, 2, dtype=np.float32)
    asked = {"x": np.ones((1, 3)), "first_bias": np.ones((1, 2)), "last_bias": np.ones((1, 2))}
    asked = {name: numbers.astype(np.float32) for name, numbers in asked.items()}
    model = onnx.load_from_string(layers_graph([weight], []))
    (p,) = ReferenceEvaluator(model).run(None, asked)
    assert p == pytest.approx(1 / (1 + np.exp(-3.0)))


def read_or_none(model):
    """Return the graph of bytes, None where they are refused as they should be."""
    try:
        return onnx_wire.Graph.read(model)
    except InvalidInput as refusal:
        return None if "no graph" in refusal.message else refusal


@settings(deadline=None)
@given(cut=st.integers(1, 2_000))
def test_a_graph_that_is_cut_off_is_refused_unless_it_is_all_there(network, cut):
    model = ranker_graph(network)
    whole, found = onnx_wire.Graph.read(model), read_or_none(model[:-cut])
    assert found is None or found.nodes == whole.nodes
    assert found is None or cut < 16


@settings(deadline=None)
@given(at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_graph_with_another_byte_is_read_or_refused(network, at, byte):
    model = bytearray(ranker_graph(network))
    model[at] = byte
    found = read_or_none(bytes(model))
    assert found is None or isinstance(found, onnx_wire.Graph)


@pytest.mark.parametrize("odd", [b"\x80" * 100_000, b"\x3a\x80\x80\x80\x80\x10", b"\x38\x01"])
def test_numbers_and_sizes_without_sense_are_refused(odd):
    assert read_or_none(odd) is None


def test_bytes_of_anything_are_read_or_refused():
    random = np.random.default_rng(0)
    for size in (0, 1, 10, 300):
        for _ in range(200):
            with pytest.raises(InvalidInput, match="no graph"):
                onnx_wire.Graph.read(random.bytes(size))
