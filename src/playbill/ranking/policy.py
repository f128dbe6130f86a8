"""Policies: what a surface's settings compile to, once, before anybody asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playbill.contracts import PolicyValues, ServingSettings, policy_on
from playbill.ranking.scorers import TASKS
from playbill.ranking.selector import SlateRules, SlateSelector
from playbill.ranking.stages import Floats
from playbill.retrieval import SOURCES

_QUOTA_OF = {"vector": "ann_quota"}
_HOUR_MS = 3_600_000
_NO_VALUES = np.full(len(TASKS), np.nan, np.float32)


@dataclass(frozen=True, slots=True)
class Policy:
    """How feeds of one surface are made.

    ``quotas``: candidates of each of ``SOURCES``, in their order, 0 to leave one out. ``values``
    (4,) utilities of ``TASKS``: the surface's own, else the bundle's. ``repeat_showings`` and
    ``repeat_rest_ms``: how often a video was shown that is held back, and the time without an event
    after which it is not.
    """

    quotas: tuple[int, ...]
    selector: SlateSelector
    values: Floats
    repeat_showings: int
    repeat_rest_ms: int


class Policies:
    """Every surface's policy, by its code.

    Args:
        settings: with what surfaces say otherwise.
        surfaces: declared ones, in the order of their codes, which count from 1.
        values: (4,) utilities of ``TASKS`` by the bundle; NaN for none.
    """

    def __init__(
        self,
        settings: ServingSettings,
        surfaces: Sequence[str] = (),
        values: Floats = _NO_VALUES,
    ) -> None:
        plain = _compiled(settings, PolicyValues(), values)
        self._by_code = [plain]
        for name in surfaces:
            said = settings.policies.get(name)
            if said is None:
                self._by_code.append(plain)
            else:
                own = _compiled(policy_on(settings, said), said.value, values)
                self._by_code.append(own)

    def of(self, surface: int) -> Policy:
        """Return the policy of a surface code; that of ``[serving]`` for one without its own."""
        return self._by_code[surface if surface < len(self._by_code) else 0]


def _compiled(serving: ServingSettings, said: PolicyValues, values: Floats) -> Policy:
    own = [getattr(said, task) for task in TASKS]
    rules = SlateRules(
        author_cap=serving.author_cap,
        topic_cap=serving.topic_cap,
        author_gap=serving.author_gap,
        diversity=serving.diversity,
        repeat_penalty=serving.repeat_penalty,
        creator_floor=serving.creator_floor,
        creator_impressions=float(serving.creator_impressions),
    )
    return Policy(
        tuple(getattr(serving, _QUOTA_OF.get(name, f"{name}_quota")) for name in SOURCES),
        SlateSelector(rules, serving.explore_share),
        np.array([b if a is None else a for a, b in zip(own, values, strict=True)], np.float32),
        serving.repeat_showings,
        serving.repeat_rest_h * _HOUR_MS,
    )
