"""How the topics relate: which are popular, and which share their viewers."""

import numpy as np

from playbill.simulation.columns import Floats, Ints, stream
from playbill.simulation.vocabulary import GROUPS, TOPICS

TOPIC_COUNT = len(TOPICS)

GROUP_OF: Ints = np.repeat(np.arange(len(GROUPS)), [len(group) for group in GROUPS])
"""(T,) the group each topic stands in."""

KINSHIP: Floats = (GROUP_OF[:, None] == GROUP_OF[None, :]).astype(np.float64) - np.eye(TOPIC_COUNT)
"""(T, T) 1 where two different topics share a group."""


def topic_popularity(seed: int) -> Floats:
    """Return (T,) the share of viewers' interest and of authors' work that each topic gets."""
    ranks = stream(seed, "topic-popularity").permutation(TOPIC_COUNT)
    weights = 1.0 / (ranks + 6.0)
    popularity: Floats = weights / weights.sum()
    return popularity


def pick_topics(
    log_shares: Floats, count: int, rng: np.random.Generator, kin_bonus: float = 0.0
) -> Ints:
    """Return (N, count) different topics a row, drawn without replacement, most wanted first.

    Args:
        log_shares: (N, T) log of unnormalised shares.
        count: how many of the T topics.
        rng: where the draws come from.
        kin_bonus: added to the log share of topics in the group of the first draw.
    """
    noisy = log_shares + rng.gumbel(size=log_shares.shape)
    first = noisy.argmax(axis=1)
    noisy += kin_bonus * KINSHIP[first]
    noisy[np.arange(noisy.shape[0]), first] = np.inf
    order: Ints = np.argsort(-noisy, axis=1, kind="stable")[:, :count]
    return order
