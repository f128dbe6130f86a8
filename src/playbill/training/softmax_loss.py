"""Softmax over many videos without ever holding all logits: a stretch of rows at a time."""

from typing import Any

import torch
from torch import Tensor

_LOGITS_AT_ONCE = 1 << 20


class _Stretches(torch.autograd.Function):
    """Both gradients are made on the way forward, while a stretch's logits are still in the cache.

    Backward scales them. Nothing else could be asked of this loss.
    """

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, shift: Tensor, wanted: Tensor, weights: Tensor
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        of_queries, of_keys = torch.empty_like(queries), torch.zeros_like(keys)
        rows = max(1, _LOGITS_AT_ONCE // len(keys))
        for first in range(0, len(queries), rows):
            part = slice(first, min(first + rows, len(queries)))
            logits = torch.addmm(shift, queries[part], keys.T)
            aim, weight = wanted[part, None], weights[part, None]
            own, largest = logits.gather(1, aim), logits.amax(dim=1, keepdim=True)
            shares = logits.sub_(largest).exp_()
            whole = shares.sum(dim=1, keepdim=True)
            losses = whole.log() + largest - own
            total += (losses * weight).sum(dtype=torch.float64)
            shares.mul_(weight / whole)
            shares.scatter_add_(1, aim, -weight)
            torch.mm(shares, keys, out=of_queries[part])
            of_keys.addmm_(shares.T, queries[part])
        ctx.save_for_backward(of_queries, of_keys)
        return total.to(queries.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        of_queries, of_keys = ctx.saved_tensors
        return of_queries * grads[0], of_keys * grads[0], None, None, None


def softmax_loss(
    queries: Tensor, keys: Tensor, shift: Tensor, wanted: Tensor, weights: Tensor
) -> Tensor:
    """Return the weighted mean of -log softmax(queries @ keys.T + shift) at the wanted keys.

    Args:
        queries: (N, D).
        keys: (K, D).
        shift: (K,) added to every row of logits; it gets no gradient.
        wanted: (N,) places among the keys.
        weights: (N,) above 0; they get no gradient.
    """
    found: Tensor = _Stretches.apply(  # type: ignore[no-untyped-call]
        queries, keys, shift, wanted, weights / weights.sum()
    )
    return found
