"""Eight-bit layers between a ranker's first and last: close to float32, exact as whole numbers."""

from itertools import pairwise

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from playbill.core import InvalidInput
from playbill.models import EightBits, ServedRanker, served_ranker
from playbill.models.eight_bits import RANGES_FILE, EightBitLayer, codes_of, in_eight_bits
from playbill.models.layers_graph import eight_bit_graph
from playbill.models.networks import RankerNetwork, RankerShape
from playbill.models.onnx_graphs import ranker_graph
from playbill.models.whole_product_kernel import multiplies_whole_numbers

FEATURES = 7
VIEWERS = (False, True, False, True, True, False, False)
HIDDEN = (16, 24, 8)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        shape = RankerShape(FEATURES, (3, 4, 9), hidden=HIDDEN)
        zeros = np.zeros(FEATURES, np.float32)
        return RankerNetwork(shape, zeros, zeros + np.float32(1.0)).eval()


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "ranker.onnx"
    path.write_bytes(ranker_graph(network))
    return path


def request_of(seed, count):
    random = np.random.default_rng(seed)
    dense = random.normal(size=(count, FEATURES)).astype(np.float32)
    dense[:, np.array(VIEWERS)] = dense[0, np.array(VIEWERS)]
    categories = random.integers(0, 3, (count, 3))
    categories[:, :-1] = categories[0, :-1]
    return dense, categories


@pytest.fixture(scope="module")
def ranges(network):
    """How large hidden units get in some requests."""
    sizes = []
    with torch.no_grad():
        for at in (1, 4):
            found = []
            for seed in range(30):
                taken = []
                hook = network.body[at].register_forward_hook(
                    lambda _module, _inputs, output, taken=taken: taken.append(output.numpy())
                )
                network(*map(torch.from_numpy, request_of(seed, 40)))
                hook.remove()
                found += taken
            sizes.append(np.concatenate(found))
    return EightBits.of(sizes, 1.0)


@pytest.fixture(params=["own", "runtime"])
def machine(request, monkeypatch):
    """What multiplies: the processor's instruction, or the runtime on a machine without it."""
    if request.param == "own" and not multiplies_whole_numbers():
        pytest.skip("this processor has no AVX-512 VNNI; run on one that has")
    monkeypatch.setattr(served_ranker, "multiplies_whole_numbers", lambda: request.param == "own")


@pytest.mark.usefixtures("machine")
def test_a_request_gets_about_what_float_numbers_say(path, ranges):
    exact = ServedRanker.load(path, VIEWERS)
    coarse = ServedRanker.load(path, VIEWERS, ranges)
    assert coarse.eight_bits
    assert not exact.eight_bits
    for seed in (5, 6, 50):
        asked = request_of(seed, 33)
        assert coarse.score(*asked) == pytest.approx(exact.score(*asked), abs=0.01)
        assert (coarse.score(*asked) != exact.score(*asked)).any()


@settings(deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_layer_adds_up_what_its_weights_say(seed):
    random = np.random.default_rng(seed)
    weight = random.normal(size=(20, 6)).astype(np.float32)
    bias = random.normal(size=6).astype(np.float32)
    weight[:, 0] = 0.0
    hidden = random.uniform(size=(9, 20)).astype(np.float32)
    found = EightBitLayer.of(weight, bias).summed(codes_of(hidden))
    # Each of twenty products is off by half a step of either number, or less.
    off = 20 * 0.5 * (np.abs(weight).max(axis=0) / 127 + np.abs(weight).max(axis=0) / 255)
    assert (np.abs(found - (hidden @ weight + bias)) <= off + 1e-3).all()


def test_a_graph_of_eight_bit_layers_is_one_that_the_library_takes():
    random = np.random.default_rng(0)
    sizes = (5, 32, 16, 3)
    first, middle, last = (random.normal(size=pair).astype(np.float32) for pair in pairwise(sizes))
    layer = EightBitLayer.of(middle, random.normal(size=16).astype(np.float32))
    graph = onnx.load_from_string(eight_bit_graph(first, [layer], last))
    names = [(node.op_type, node.domain) for node in graph.graph.node]
    assert ("QGemm", "com.microsoft") in names
    assert {part.domain: part.version for part in graph.opset_import} == {
        "": 17, "com.microsoft": 1
    }  # fmt: skip
    x = random.normal(size=(4, 5)).astype(np.float32)
    up_to = graph.graph.node[1]
    head = onnx.helper.make_graph(
        graph.graph.node[:2],
        "head",
        graph.graph.input,
        [onnx.helper.make_tensor_value_info(up_to.output[0], onnx.TensorProto.UINT8, [4, 32])],
        graph.graph.initializer,
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(head, opset_imports=opset)
    asked = {"x": x, "first_bias": np.zeros((1, 32), np.float32)}
    asked |= {"last_bias": np.zeros((1, 3), np.float32)}
    (codes,) = ReferenceEvaluator(model).run(None, asked)
    assert codes.tolist() == codes_of(x @ first).tolist()


def test_ranges_are_read_as_they_were_written(ranges, tmp_path):
    assert EightBits.load(tmp_path) is None
    ranges.save(tmp_path)
    first = (tmp_path / RANGES_FILE).read_bytes()
    found = EightBits.load(tmp_path)
    assert [of.tolist() for of in found.ranges] == [of.tolist() for of in ranges.ranges]
    found.save(tmp_path)
    assert (tmp_path / RANGES_FILE).read_bytes() == first


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_ranges_that_are_no_sizes_are_refused(tmp_path, bad):
    EightBits((np.array([1.0, bad], np.float32),)).save(tmp_path)
    with pytest.raises(InvalidInput, match="no ranges above 0"):
        EightBits.load(tmp_path)


def test_a_damaged_file_of_ranges_is_refused(tmp_path):
    (tmp_path / RANGES_FILE).write_bytes(b"nonsense")
    with pytest.raises(InvalidInput, match="list of ranges"):
        EightBits.load(tmp_path)


@pytest.mark.parametrize("widths", [(16,), (16, 25), (16, 24, 8), ()])
def test_ranges_of_another_network_are_refused(path, widths):
    other = EightBits(tuple(np.ones(width, np.float32) for width in widths))
    with pytest.raises(InvalidInput, match="of another network"):
        ServedRanker.load(path, VIEWERS, other)


@pytest.mark.usefixtures("machine")
def test_a_machine_whose_products_overflow_serves_float_numbers(path, ranges, monkeypatch):
    def overflowed(*asked):
        return in_eight_bits(*asked) + np.float32(0.1)

    monkeypatch.setattr(served_ranker, "in_eight_bits", overflowed)
    served = ServedRanker.load(path, VIEWERS, ranges)
    assert not served.eight_bits
    asked = request_of(1, 5)
    exact = ServedRanker.load(path, VIEWERS).score(*asked)
    assert served.score(*asked).tobytes() == exact.tobytes()
