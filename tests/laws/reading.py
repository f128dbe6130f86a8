"""A feed service over a log in memory: what it shows goes back into the log."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from laws.feature_views import Vectors, unit
from laws.feature_worlds import SETTINGS, MemoryItems, World, video
from laws.ranking_worlds import FakeModel
from playbill.contracts import FeedReply, FeedRequest, ServingSettings, Settings
from playbill.events.batches import encode_impressions
from playbill.features import MemoryUserState
from playbill.privacy import MemoryKeyStore, Pseudonyms
from playbill.ranking import Hydrator, Pipeline
from playbill.retrieval import DerivedLists, view_of
from playbill.serving import FeedService, Recorder, ServingState, UserRows

CAPACITY = 2_048
NOTHING = Path("no-such-file")
PSEUDONYMS = Pseudonyms(MemoryKeyStore().secret("pseudonym"))


class HeldUsers(MemoryUserState):
    """A user store that is always there."""

    def touch(self, most_bytes: int) -> bool:
        return False

    def present(self) -> bool:
        return True


@dataclass
class LoggingCollector:
    """Put impressions into a world's log, to be folded with its next step."""

    world: World
    shown: list[list[int]] = field(default_factory=list)

    def take_impressions(self, records) -> "Future[int]":
        self.world._append("web-2", encode_impressions(records))
        self.shown += [shown["video"].tolist() for _, shown in records]
        done: Future[int] = Future()
        done.set_result(len(records))
        return done

    def take_traces(self, traces) -> None:
        pass


def reading_settings(surfaces=("home",), **serving) -> Settings:
    told = msgspec.structs.replace(SETTINGS, surfaces=tuple(surfaces))
    return msgspec.structs.replace(told, serving=ServingSettings(**serving))


class Reading:
    """A home in memory that answers feeds.

    Args:
        count: videos in it, of five authors and three topics.
        settings: of the home.
        likes: (C,) probability of a click from (C, F) features; by chance when None.
        pseudonyms: of the home.
    """

    def __init__(self, count: int, settings: Settings, likes=None, pseudonyms=PSEUDONYMS) -> None:
        items = MemoryItems(len(settings.regions), CAPACITY)
        self.world = World(settings=settings, users=HeldUsers(), items=items)
        self.posted = 0
        self.post(count)
        self.lists = DerivedLists(48 * 3_600_000)
        self.random = np.random.default_rng(1)
        chance = np.random.default_rng(2)
        self.model = FakeModel(
            self.world.clock,
            Vectors(unit(np.random.default_rng(3).normal(size=(CAPACITY, 8))), indexed=8),
            p_click=likes or (lambda features: chance.random(len(features))),
        )
        self.collector = LoggingCollector(self.world)
        self.service = self.server(settings, pseudonyms)

    def server(self, settings: Settings, pseudonyms=PSEUDONYMS) -> FeedService:
        """Return one more process of the home."""
        clock = self.world.clock
        pipeline = Pipeline(
            self.model,
            self.lists,
            Hydrator(self.world.items, clock),
            settings.serving,
            clock,
            settings.surfaces,
        )
        return FeedService(
            settings,
            ServingState(self.world.items, pipeline, "sha256:" + "0" * 64, "", {}),
            self.lists,
            UserRows(lambda: self.world.users, self.world.clock, 20.0),
            pseudonyms,
            Recorder(self.collector, lambda count: None),
            NOTHING,
            clock,
            1,
            self.random,
        )

    def post(self, count: int) -> None:
        """Post videos and fold them, with whatever was shown before."""
        for number in range(self.posted, self.posted + count):
            author, topic = f"author{number % 5}", f"topic{number % 3}"
            self.world.post(video(f"v{number}", author, (topic,)))
        self.posted += count
        self.world.step()

    def known_authors(self, *, first: int) -> None:
        """Let every author from the first one on have been shown often just now."""
        authors = self.world.items.authors
        authors["slots"][first:, 0] = 9_000
        authors["landmark_ms"] = self.world.clock.now_ms()

    def ask(self, viewer: str = "ann", **fields) -> FeedReply:
        """Return a page."""
        self.lists.refresh(view_of(self.world.items), self.world.clock.now_ms())
        reply = self.service.feed(FeedRequest(user_id=viewer, **fields))
        self.service.flush()
        return reply


def numbers(reply: FeedReply) -> list[int]:
    """Return the numbers of a page's videos, by when they were posted."""
    return [int(item.video_id[1:]) for item in reply.items]
