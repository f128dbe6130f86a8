"""The user tower as it is trained: what a viewer took to, pooled and attended to, in order."""

import math

import torch
from torch import Tensor, nn

from playbill.features.layout import HISTORY
from playbill.models.tasks import WIDTH
from playbill.models.user_history import KINDS
from playbill.models.user_tower_kernel import HEADS, POOLS

BLOCKS = 2
COLD_WEIGHT = 0.3
"""How much history the cold vector stands in for; the newest video weighs about 1."""
LEAST_LENGTH = 1e-6
_FADES = 0.05, 0.35
"""How much less, at first, each pool's logarithm of a weight is for every video further back."""
_FIRST_SCALE = 14.0
_OUT_OF_REACH = -1e9


class Block(nn.Module):
    """Attention over what came before, then a small network; both on normalised input.

    Source: Xiong et al., On layer normalization in the transformer architecture (ICML 2020).
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(WIDTH)
        self.projections = nn.Linear(WIDTH, 3 * WIDTH)
        self.attended = nn.Linear(WIDTH, WIDTH)
        self.before_inner = nn.LayerNorm(WIDTH)
        self.inner = nn.Linear(WIDTH, 4 * WIDTH)
        self.outer = nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return (B, T, 64) of (B, T, 64) and (heads, T, T) what is added to attention."""
        rows, length, _ = x.shape
        parts = self.projections(self.before_attention(x))
        parts = parts.view(rows, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        found = nn.functional.scaled_dot_product_attention(
            parts[0],
            parts[1],
            parts[2],
            attn_mask=bias,
            dropout_p=self.dropout.p if self.training else 0.0,
        )
        found = found.transpose(1, 2).reshape(rows, length, WIDTH)
        x = x + self.dropout(self.attended(found))
        inner = torch.relu(self.inner(self.before_inner(x)))
        out: Tensor = x + self.dropout(self.outer(inner))
        return out


class UserNetwork(nn.Module):
    """A viewer's vector before each of a row of videos, and after the last.

    Two weighted means of what the viewer took to, refined by a small network, and what attention
    makes of the order and kind of it. A cold vector stands in for the history that is not there.
    Attention knows how many videos lie between two, not where in the row they are.

    Sources: Kang and McAuley, Self-attentive sequential recommendation (ICDM 2018); Press et al.,
    Train short, test long (ICLR 2022); docs/decisions/0030.
    """

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        ages = torch.arange(HISTORY, dtype=torch.float32)
        self.recency = nn.Parameter(torch.stack([-fade * ages for fade in _FADES]))
        self.worth = nn.Parameter(torch.zeros(POOLS, KINDS))
        self.cold = nn.Parameter(torch.randn(WIDTH) * 0.1)
        self.inner = nn.Linear(POOLS * WIDTH, 2 * WIDTH)
        self.outer = nn.Linear(2 * WIDTH, WIDTH)
        self.enter = nn.Linear(WIDTH, WIDTH)
        self.kinds = nn.Parameter(torch.zeros(KINDS, WIDTH))
        self.begin = nn.Parameter(torch.randn(WIDTH) * 0.1)
        self.nearness = nn.Parameter(torch.zeros(BLOCKS, HEADS, HISTORY + 1))
        self.to_begin = nn.Parameter(torch.zeros(BLOCKS, HEADS))
        self.blocks = nn.ModuleList(Block(dropout) for _ in range(BLOCKS))
        self.before_leaving = nn.LayerNorm(WIDTH)
        self.leave = nn.Linear(WIDTH, WIDTH)
        self.log_scale = nn.Parameter(torch.tensor(math.log(_FIRST_SCALE)))
        self.dropout = nn.Dropout(dropout)
        nn.init.orthogonal_(self.enter.weight, gain=math.sqrt(WIDTH))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, vectors: Tensor, kinds: Tensor) -> Tensor:
        """Return (B, T + 1, 64) unit vectors: place t has seen the first t videos.

        Args:
            vectors: (B, T, 64) of videos, oldest first; T is 32 at most.
            kinds: (B, T) how the viewer took to them.
        """
        means = self._means(vectors, kinds)
        refined = self.outer(torch.relu(self.inner(means)))
        x = self.enter(vectors) + self.kinds[kinds]
        x = torch.cat([self.begin.expand(len(vectors), 1, WIDTH), x], dim=1)
        x = self.dropout(x)
        length = x.shape[1]
        bias = self.attention_bias()[:, :, :length, :length]
        for number, block in enumerate(self.blocks):
            x = block(x, bias[number])
        attended = self.leave(self.before_leaving(x))
        direction = means[..., :WIDTH] + refined + attended
        return nn.functional.normalize(direction, dim=2, eps=LEAST_LENGTH)

    def _means(self, vectors: Tensor, kinds: Tensor) -> Tensor:
        """Return (B, T + 1, 2 x 64) weighted means of what came before each place."""
        length = vectors.shape[1]
        behind = torch.arange(length + 1)[:, None] - 1 - torch.arange(length)[None, :]
        means = []
        for pool in range(POOLS):
            by_age = self.recency[pool].exp()[behind.clamp(min=0)] * (behind >= 0)
            weights = by_age * self.worth[pool].exp()[kinds][:, None, :]
            totals = torch.bmm(weights, vectors) + COLD_WEIGHT * self.cold
            means.append(totals / (weights.sum(dim=2, keepdim=True) + COLD_WEIGHT))
        return torch.cat(means, dim=2)

    def attention_bias(self) -> Tensor:
        """Return (blocks, heads, 33, 33) what is added to attention; what is later is cut off."""
        size = HISTORY + 1
        behind = torch.arange(size)[:, None] - torch.arange(size)[None, :]
        bias = self.nearness[:, :, behind.clamp(min=0)]
        to_begin = torch.zeros(size, size, dtype=torch.bool)
        to_begin[:, 0] = True
        bias = torch.where(to_begin, self.to_begin[:, :, None, None], bias)
        return torch.where(behind >= 0, bias, torch.full((), _OUT_OF_REACH))
