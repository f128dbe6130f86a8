"""A ranking model without a bundle, and the parts that a pipeline needs around it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from laws.feature_views import NOW_MS, Vectors, item_view, query, unit
from laws.feature_worlds import MemoryItems
from playbill.contracts import ServingSettings
from playbill.core import DependencyUnavailable, FixedClock
from playbill.features import FEATURES, empty_user
from playbill.ranking import Candidates, Deadline, Hydrator, Pipeline, RankingRequest
from playbill.retrieval import DerivedLists, ItemView, view_of

EXPLORE = 6


@dataclass
class TickingClock:
    """A clock on which every look costs time."""

    tick_s: float = 0.0001
    seconds: float = 0.0

    def now_ms(self) -> int:
        return NOW_MS

    def elapsed_s(self) -> float:
        self.seconds += self.tick_s
        return self.seconds


@dataclass
class FakeModel:
    """A ``RankingModel`` that says what it is told to, and takes the time it is told to."""

    clock: FixedClock | TickingClock = field(default_factory=lambda: FixedClock(NOW_MS))
    table: Vectors | None = None
    digest: str = "sha256:fake"
    value_weights: np.ndarray = field(
        default_factory=lambda: np.array([1.0, 2.0, 4.0, -12.0], np.float32)
    )
    ms_per_row: float = 0.0
    fails: bool = False
    p_click: Callable[[np.ndarray], np.ndarray] = lambda features: np.zeros(len(features))
    """Of (C, F) features."""
    approximate: Callable[[np.ndarray], np.ndarray] = lambda features: np.zeros(len(features))
    while_scoring: Callable[[], None] = lambda: None
    asked: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def user_vector(self, user) -> np.ndarray | None:
        return None

    def light(self, features) -> np.ndarray:
        return np.asarray(self.approximate(features), np.float32)

    def heavy(self, features, places, categories, rows, user) -> np.ndarray:
        features = features[places]
        self.asked.append((len(features), categories))
        self.clock.seconds += self.ms_per_row * len(features) / 1000.0
        self.while_scoring()
        if self.fails:
            raise DependencyUnavailable("the fake was told to fail")
        p_action = np.zeros((len(features), 4), np.float32)
        p_action[:, 0] = self.p_click(features)
        return p_action


def request(
    *, size: int = 10, user=None, region: int = 0, excluded=(), vector=None, seed: int = 0, **other
) -> RankingRequest:
    row = empty_user() if user is None else user
    fields = {"surface": 1, "at_ms": NOW_MS, "user_epoch": 0, "told": True, **other}
    return RankingRequest(
        query=query(row, region=region, vector=vector, seed=seed),
        size=size,
        excluded=np.array(excluded, np.int64),
        **fields,
    )


def candidates(count: int, *, light=None, utility=None, sources=1) -> Candidates:
    """Return rows 0 to count - 1 with features of zeros."""
    return Candidates(
        np.arange(count),
        np.zeros(count, np.uint8) + np.asarray(sources, np.uint8),
        np.zeros((count, len(FEATURES)), np.float32),
        np.arange(count),
        np.zeros(count, np.float32) if light is None else np.asarray(light, np.float32),
        None if utility is None else np.asarray(utility, np.float32),
    )


def shared_of(view: ItemView) -> MemoryItems:
    """Return published item state that holds what a view shows."""
    shared = MemoryItems(capacity=max(256, view.count))
    for name in ("items", "authors", "topics"):
        records = getattr(view.tables, name)
        getattr(shared, name)[: len(records)] = records
        shared.header[name] = len(records)
    shared.trending[:] = view.trending
    shared.header["epoch"], shared.header["at_ms"] = view.epoch, view.at_ms
    return shared


@dataclass
class Stand:
    """A pipeline over item state made by hand. ``shared`` may be changed under it."""

    shared: MemoryItems
    model: FakeModel
    pipeline: Pipeline
    clock: FixedClock | TickingClock

    def run(self, asked: RankingRequest, budget_ms: float = 150.0):
        return self.pipeline.run(asked, view_of(self.shared), Deadline(self.clock, budget_ms))


def stand(
    view: ItemView | None = None,
    *,
    indexed: int = 20,
    seed: int = 4,
    clock: TickingClock | None = None,
    **settings,
) -> Stand:
    view = item_view(60, authors=np.arange(60) % 30) if view is None else view
    shared, clock = shared_of(view), clock or FixedClock(NOW_MS)
    vectors = unit(np.random.default_rng(seed).normal(size=(max(view.count, 1), 8)))
    model = FakeModel(clock, Vectors(vectors, indexed=max(1, min(indexed, view.count))))
    lists = DerivedLists(48 * 3_600_000)
    lists.refresh(view_of(shared), NOW_MS)
    pipeline = Pipeline(model, lists, Hydrator(shared, clock), ServingSettings(**settings), clock)
    return Stand(shared, model, pipeline, clock)
