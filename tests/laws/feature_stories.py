"""Stories: random worlds, cut into epochs. Each step writes something into the log."""

from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from laws.feature_worlds import PARTITIONS, World, video
from playbill.contracts import User
from playbill.core import DAY_MS, HOUR_MS, MINUTE_MS

VIEWERS = ("ann", "bob", "cleo", "dan")
VIDEOS = tuple(f"v{n}" for n in range(8))
UNKNOWN = ("ghost", "shade")
AUTHORS = ("ada", "ben", "cy")
TOPICS = ("tea", "sea", "art", "ska", "zen")
KINDS = (
    "impression", "click", "watch", "like", "share", "comment", "follow", "skip", "hide",
    "report", "search",
)  # fmt: skip


def law(examples: int):
    """Return the settings of a property: as many examples, the same ones each time, no clock."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass(frozen=True)
class Act:
    kind: str
    viewer: str
    video: str
    late_ms: int
    watch_ms: int
    long_view: bool | None
    region: str | None
    request: str
    author: str | None
    surface: str | None
    into: str

    def do(self, world: World) -> None:
        request = {"none": None, "foreign": "f" * 16, "ours": world.request_id()}[self.request]
        world.act(
            world.event(
                self.kind,
                self.viewer,
                self.video,
                at=world.clock.now_ms() - self.late_ms,
                watch_ms=self.watch_ms,
                long_view=self.long_view,
                region=self.region,
                request_id=request,
                author_id=self.author,
                surface=self.surface,
            ),
            into=self.into,
        )


@dataclass(frozen=True)
class Serve:
    viewer: str
    videos: tuple[str, ...]
    region: int
    surface: int
    late_ms: int

    def do(self, world: World) -> None:
        # As a server does: never before anything that the state it read holds.
        held_ms = max(world.state.at_ms, int(world.viewer(self.viewer)["last_at_ms"][0]))
        at_ms = max(world.clock.now_ms() - self.late_ms, held_ms)
        place = {"region": self.region, "surface": self.surface}
        world.serve(self.viewer, list(self.videos), at_ms=at_ms, **place)


@dataclass(frozen=True)
class Post:
    video: str
    author: str
    topics: tuple[str, ...]
    language: str | None
    duration_ms: int
    regions: tuple[str, ...]
    rating: int

    def do(self, world: World) -> None:
        posted = video(
            self.video,
            self.author,
            self.topics,
            language=self.language,
            duration_ms=self.duration_ms,
            regions=list(self.regions),
            age_rating=self.rating,
        )
        world.post(posted)


@dataclass(frozen=True)
class TakeDown:
    video: str

    def do(self, world: World) -> None:
        world.take_down(self.video, into="web-2")


@dataclass(frozen=True)
class Tell:
    viewer: str
    follows: tuple[str, ...] | None
    interests: tuple[str, ...] | None
    region: str | None
    language: str | None
    age: int | None

    def do(self, world: World) -> None:
        world.tell(
            User(
                user_id=self.viewer,
                follows=None if self.follows is None else list(self.follows),
                interests=None if self.interests is None else list(self.interests),
                region=self.region,
                language=self.language,
                age=self.age,
            )
        )


Step = Act | Serve | Post | TakeDown | Tell
Epochs = list[tuple[int, list[Step]]]
"""(milliseconds after the epoch before, what happened in it)."""

_late_ms = st.sampled_from([0, 0, 0, 1, 1_500, 20 * MINUTE_MS, 5 * HOUR_MS, 2 * DAY_MS])
_after_ms = st.sampled_from(
    [100, 1_000, 10 * MINUTE_MS, HOUR_MS, 5 * HOUR_MS, 3 * DAY_MS, 40 * DAY_MS]
)
_languages = st.sampled_from([None, "en", "en-GB", "de"])
_regions = st.sampled_from([None, "north", "south"])

acts = st.builds(
    Act,
    kind=st.sampled_from(KINDS),
    viewer=st.sampled_from(VIEWERS),
    video=st.sampled_from(VIDEOS + UNKNOWN),
    late_ms=_late_ms,
    watch_ms=st.sampled_from([0, 900, 8_000, 18_000, 90_000, 2_000_000]),
    long_view=st.sampled_from([None, None, True, False]),
    region=_regions,
    request=st.sampled_from(["none", "none", "foreign", "ours"]),
    author=st.sampled_from([None, None, *AUTHORS, "nobody"]),
    surface=st.sampled_from([None, "home", "clips"]),
    into=st.sampled_from(PARTITIONS),
)
serves = st.builds(
    Serve,
    viewer=st.sampled_from(VIEWERS),
    videos=st.lists(st.sampled_from(VIDEOS), min_size=1, max_size=4, unique=True).map(tuple),
    region=st.integers(0, 2),
    surface=st.integers(0, 2),
    late_ms=st.sampled_from([0, 400, 10 * MINUTE_MS]),
)
posts = st.builds(
    Post,
    video=st.sampled_from((*VIDEOS, "v8", "v9")),
    author=st.sampled_from((*AUTHORS, "dee")),
    topics=st.lists(st.sampled_from(TOPICS), max_size=4, unique=True).map(tuple),
    language=_languages,
    duration_ms=st.sampled_from([1, 7_000, 60_000, 7_200_000]),
    regions=st.sampled_from([(), ("north",), ("south",), ("north", "south")]),
    rating=st.sampled_from([0, 0, 12, 18]),
)
tells = st.builds(
    Tell,
    viewer=st.sampled_from((*VIEWERS, "eve")),
    follows=st.none() | st.lists(st.sampled_from((*AUTHORS, "nobody")), max_size=4).map(tuple),
    interests=st.none() | st.lists(st.sampled_from((*TOPICS, "yak")), max_size=3).map(tuple),
    region=_regions,
    language=_languages,
    age=st.sampled_from([None, 9, 17, 44]),
)
steps = acts | acts | acts | serves | posts | tells | st.builds(TakeDown, st.sampled_from(VIDEOS))


def stories(most_epochs: int = 6, most_steps: int = 8):
    """Return a strategy of what happens after the catalogue was posted."""
    epoch = st.tuples(_after_ms, st.lists(steps, max_size=most_steps))
    return st.lists(epoch, min_size=1, max_size=most_epochs)


def open_catalogue(world: World) -> None:
    """Post eight videos of three authors, one of them without a topic, as the first epoch."""
    topics = [("tea",), ("tea", "sea"), ("art",), (), ("sea", "tea", "art", "ska"), ("ska",)]
    world.post(
        *(
            video(
                name,
                AUTHORS[n % 3],
                topics[n % 6],
                language=(None, "en", "de-AT")[n % 3],
                duration_ms=(60_000, 8_000, 600_000)[n % 3],
            )
            for n, name in enumerate(VIDEOS)
        )
    )
    world.step()


def tell(world: World, story: Epochs) -> None:
    """Let a story happen, an epoch for each of its parts."""
    open_catalogue(world)
    for after_ms, happenings in story:
        world.clock.advance(after_ms)
        for happening in happenings:
            happening.do(world)
        world.step(0)
