"""A viewer's vector, from the row that the viewer has in the store."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import InvalidInput
from playbill.features import empty_user
from playbill.features.layout import HISTORY
from playbill.models import (
    ServedUserTower,
    UserTower,
    history_inputs,
    served_user_tower,
    warm_user_tower,
)
from playbill.models.user_graph import user_tower_graph
from playbill.models.user_history_kernel import fill_taken, keep_known
from playbill.models.user_network import UserNetwork
from playbill.models.user_tower_kernel import fill_user


@pytest.fixture(scope="module")
def graph():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return user_tower_graph(UserNetwork().eval())


@pytest.fixture(scope="module")
def path(graph, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "user_tower.onnx"
    path.write_bytes(graph)
    return path


@pytest.fixture(scope="module")
def whole(path):
    return UserTower.load(path)


@pytest.fixture(scope="module")
def served(path):
    return ServedUserTower.load(path)


def lookup(rows):
    """Return a vector for each row; every seventh has none."""
    vectors = np.array([np.random.default_rng(row).normal(size=64) for row in rows])
    vectors[rows % 7 == 0] = 0.0
    return vectors.astype(np.float32)


def viewer(rows, actions):
    user = empty_user()
    user["history_count"] = len(rows)
    user["history"][0, : len(rows)] = rows
    user["history_action"][0, : len(rows)] = actions
    return user


watched = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 255)), max_size=HISTORY)


@settings(deadline=None)
@given(watched)
def test_a_viewer_gets_the_vector_of_the_graph(whole, served, history):
    user = viewer([row for row, _ in history], [action for _, action in history])
    found = served.vector(user, lookup)
    assert found == pytest.approx(whole.vector(*history_inputs(user, lookup)), abs=1e-5)
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)


def test_an_empty_history_asks_for_nothing(served):
    def refuse(rows):
        raise AssertionError("nothing is to be looked up")

    assert np.isfinite(served.vector(empty_user(), refuse)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_none(served, bad):
    user = viewer([3], [1])
    assert served.vector(user, lambda rows: np.full((1, 64), bad, np.float32)) is None


def test_a_graph_that_gives_no_unit_vectors_is_refused(graph, tmp_path):
    model = onnx.load_from_string(graph)
    for tensor in model.graph.initializer:
        if tensor.name == "least":
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.float32(1e6), "least"))
    path = tmp_path / "user_tower.onnx"
    onnx.save(model, path)
    with pytest.raises(InvalidInput, match="no unit vector for a history of 0"):
        ServedUserTower.load(path)


def test_loading_or_warming_compiles_all_that_a_request_needs(path):
    served = ServedUserTower.load(path)
    known, nobody = viewer([3, 8], [1, 4]), empty_user()
    known.flags.writeable = nobody.flags.writeable = False
    warm_user_tower(nobody)
    kernels = fill_user, fill_taken, keep_known
    ready = [list(kernel.signatures) for kernel in kernels]
    for user in (known, nobody):
        assert served.vector(user, lookup) is not None
    assert [list(kernel.signatures) for kernel in kernels] == ready
    assert len(ready[0]) == 1


def test_a_graph_of_another_make_is_run_as_it_is(graph, whole, tmp_path):
    model = onnx.load_from_string(graph)
    for tensor in model.graph.initializer:
        tensor.name = tensor.name.replace("leave_bias", "parting_bias")
    for node in model.graph.node:
        node.input[:] = [name.replace("leave_bias", "parting_bias") for name in node.input]
    path = tmp_path / "user_tower.onnx"
    onnx.save(model, path)
    user = viewer([3, 8], [1, 4])
    found = ServedUserTower.load(path).vector(user, lookup)
    assert found.tobytes() == whole.vector(*history_inputs(user, lookup)).tobytes()


def test_numbers_that_say_something_else_are_refused(path, monkeypatch):
    def doubled(vectors, kinds, numbers, out):
        return fill_user(vectors, kinds, numbers, out) and out.fill(0.125) is None

    monkeypatch.setattr(served_user_tower, "fill_user", doubled)
    with pytest.raises(InvalidInput, match="other vectors"):
        ServedUserTower.load(path)
