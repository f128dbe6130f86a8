"""A feed service over a world made by hand: no files, no clock of the machine, no bundle."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from laws.feature_views import Vectors, unit
from laws.feature_worlds import PSEUDONYMS, World, video
from laws.ranking_worlds import FakeModel
from playbill.contracts import ServingSettings
from playbill.features import MemoryUserState
from playbill.ranking import Hydrator, Pipeline
from playbill.retrieval import DerivedLists, view_of
from playbill.serving import FeedService, ServingState, UserRows

NO_SAFE_LIST = Path("no-such-file")


class PresentUsers(MemoryUserState):
    """A store that never vanishes, unless a test says so."""

    gone = False

    def touch(self, most_bytes: int) -> bool:
        return False

    def present(self) -> bool:
        return not self.gone


@dataclass
class Kept:
    """A recorder that keeps what it is told to record."""

    records: list = field(default_factory=list)

    def failing(self) -> bool:
        return False

    def record(self, head, shown, trace) -> None:
        self.records.append((head, shown))


@dataclass
class Served:
    """A service and what a test may look at or change."""

    world: World
    service: FeedService
    state: ServingState
    kept: Kept
    users: UserRows


def filled_world(videos: int = 60, authors: int = 20) -> World:
    """Return a world with videos of some authors, the first of them watched most in the north."""
    world = World(users=PresentUsers())
    world.post(*(video(f"v{n}", f"author{n % authors}", ("tea",)) for n in range(videos)))
    world.step()
    for n in range(10):
        for viewer in range(10 - n):
            world.act(world.event("click", f"fan{viewer}", f"v{n}", region="north"))
    world.step()
    return world


def served(world: World, *, seed: int = 0, ranks: bool = True, **settings) -> Served:
    """Return a service over a world as it is now; two with one seed answer alike."""
    view = view_of(world.items)
    lists = DerivedLists(48 * 3_600_000)
    lists.refresh(view, world.clock.now_ms())
    vectors = unit(np.random.default_rng(4).normal(size=(view.count, 8)))
    model = FakeModel(world.clock, Vectors(vectors, indexed=view.count), "sha256:" + "f" * 64)
    pipeline = Pipeline(
        model,
        lists,
        Hydrator(world.items, world.clock),
        ServingSettings(**settings),
        world.clock,
    )
    state = ServingState(
        world.items, pipeline if ranks else None, model.digest if ranks else None, "no_bundle", {}
    )
    users = UserRows(lambda: world.users, world.clock, 20.0)
    kept = Kept()
    service = FeedService(
        world.settings,
        state,
        lists,
        users,
        PSEUDONYMS,
        kept,
        NO_SAFE_LIST,
        world.clock,
        3,
        np.random.default_rng(seed),
    )
    return Served(world, service, state, kept, users)
