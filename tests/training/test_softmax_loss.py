"""The loss in stretches is the plain one, gradients included."""

import pytest
import torch

from playbill.training import softmax_loss as module
from playbill.training.softmax_loss import softmax_loss


@pytest.mark.parametrize("at_once", [1, 64, 1 << 20])
def test_value_and_gradients_are_those_of_the_plain_loss(monkeypatch, at_once):
    monkeypatch.setattr(module, "_LOGITS_AT_ONCE", at_once)
    random = torch.Generator().manual_seed(3)
    queries = torch.randn(37, 8, generator=random, dtype=torch.float64, requires_grad=True)
    keys = torch.randn(50, 8, generator=random, dtype=torch.float64, requires_grad=True)
    shift = torch.randn(50, generator=random, dtype=torch.float64)
    wanted = torch.randint(50, (37,), generator=random)
    weights = torch.rand(37, generator=random, dtype=torch.float64) + 0.1
    plain = torch.nn.functional.cross_entropy(
        10.0 * queries @ keys.T + shift, wanted, reduction="none"
    )
    expected = (plain * weights).sum() / weights.sum()
    gradients = torch.autograd.grad(expected, (queries, keys))
    found = softmax_loss(10.0 * queries, keys, shift, wanted, weights)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    for got, wish in zip(torch.autograd.grad(found, (queries, keys)), gradients, strict=True):
        assert torch.allclose(got, wish, rtol=1e-9, atol=1e-12)
