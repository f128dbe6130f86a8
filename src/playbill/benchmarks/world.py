"""A catalogue and viewers of any size, made of a seed: clustered, skewed, in blocks.

Videos lie around cluster centres in the space of the two towers about as closely as trained ones
do: there a video's nearest neighbour has a cosine of .87 and the tenth .80. A quarter of the
authors make half of the videos; how often videos were shown is log-normal. Viewers' histories come
from three clusters each. Nothing here says how good a feed is.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.core import DAY_MS, HOUR_MS, key64
from playbill.features import ITEM_RECORD, USER_RECORD, empty_user
from playbill.features.layout import CLICKED, HISTORY, LONG, VISIBLE, WATCHED
from playbill.models.tasks import WIDTH

Records = npt.NDArray[np.void]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
OnStage = Callable[[str, float], None]

BLOCK = 200_000
REGIONS = ("eu", "us", "in", "br")
TOPICS = 500
WORDS = 20_000
"""Different words in titles, of which each has twelve."""
_SPAN_MS = 90 * DAY_MS
_NOISE = 0.7
"""Length of what sets a video apart from its cluster's centre, which has the length 1."""
_SUPER = 100
_SKEW = 1.5


def video_name(row: int) -> str:
    """Return the id of a video."""
    return f"v{row:08d}"


def viewer_name(number: int) -> str:
    """Return the id of a viewer."""
    return f"u{number:08d}"


@dataclass(frozen=True, slots=True)
class BenchWorld:
    """Sizes and seed. The same world gives the same bytes.

    Args:
        videos: rows of the catalogue.
        viewers: rows of the user store.
        seed: of everything.
        now_ms: the instant at which it stands.
    """

    videos: int
    viewers: int
    seed: int
    now_ms: int

    @property
    def authors(self) -> int:
        """Return how many authors there are."""
        return max(self.videos // 40, 1)

    @property
    def clusters(self) -> int:
        """Return how many clusters the videos lie in."""
        return max(_SUPER, min(self.videos // 400, 20_000))

    def centres(self) -> Floats:
        """Return (clusters, 64) unit centres, themselves in a hundred groups."""
        random = np.random.default_rng([self.seed, 1])
        groups = random.standard_normal((_SUPER, WIDTH), np.float32)
        spread = random.standard_normal((self.clusters, WIDTH), np.float32)
        return _unit(_unit(groups)[np.arange(self.clusters) % _SUPER] + _unit(spread))

    def cluster_of(self, rows: Rows) -> Rows:
        """Return the cluster of each video: some are ten times as full as others."""
        turn = rows * self._stride % self.videos
        return (self.clusters * (turn / self.videos) ** _SKEW).astype(np.int64)

    def some_of(self, clusters: Rows, random: np.random.Generator) -> Rows:
        """Return a video of each of some clusters."""
        share = (clusters + random.random(clusters.shape)) / self.clusters
        turn = (share ** (1.0 / _SKEW) * self.videos).astype(np.int64)
        return np.minimum(turn, self.videos - 1) * pow(self._stride, -1, self.videos) % self.videos

    @property
    def _stride(self) -> int:
        """Return a number near the golden section of the videos that shares no factor with them."""
        stride = round(self.videos * 0.618)
        while math.gcd(stride, self.videos) > 1:
            stride += 1
        return stride

    def blocks(self, count: int) -> Iterator[Rows]:
        """Yield rows 0 to ``count`` - 1, block by block."""
        for first in range(0, count, BLOCK):
            yield np.arange(first, min(first + BLOCK, count))

    def vectors(self, rows: Rows, centres: Floats) -> Floats:
        """Return (n, 64) unit vectors of a block of videos."""
        return self.like(rows, centres, np.random.default_rng([self.seed, 2, int(rows[0])]))

    def like(self, rows: Rows, centres: Floats, random: np.random.Generator) -> Floats:
        """Return (n, 64) unit vectors of videos from the clusters of (n,) others."""
        noise = random.standard_normal((len(rows), WIDTH), np.float32)
        return _unit(centres[self.cluster_of(rows)] + np.float32(_NOISE / math.sqrt(WIDTH)) * noise)

    def items(self, rows: Rows) -> Records:
        """Return (n,) records of a block of videos."""
        random = np.random.default_rng([self.seed, 3, int(rows[0])])
        count = len(rows)
        items = np.zeros(count, ITEM_RECORD)
        items["key"] = [key64(video_name(row)) for row in rows.tolist()]
        age_ms = _SPAN_MS * (1.0 - (rows + random.random(count)) / (self.videos + 1))
        items["created_at_ms"] = self.now_ms - age_ms.astype(np.int64)
        items["landmark_ms"] = self.now_ms - HOUR_MS
        items["author"] = (self.authors * random.random(count) ** 2).astype(np.int64)
        seconds = np.clip(random.lognormal(3.2, 0.7, count), 3.0, 600.0)
        items["duration_ms"] = seconds * 1000.0
        first_topic = self.cluster_of(rows) % TOPICS
        items["topics"] = np.stack(
            [first_topic, (first_topic + 7) % TOPICS, *[np.full(count, 0xFFFF)] * 2], axis=1
        )
        items["words"] = random.integers(0, WORDS + 1, items["words"].shape)
        somewhere = random.random(count) < 0.03
        items["regions"] = np.where(somewhere, 1 << random.integers(len(REGIONS), size=count), 0)
        items["flags"] = np.where(random.random(count) < 0.98, VISIBLE, 0)
        items["age_rating"] = np.where(random.random(count) < 0.04, 18, 0)
        popularity = random.lognormal(2.0, 1.6, count).astype(np.float32)
        shares = random.random(int(items["slots"].shape[1])).astype(np.float32) + np.float32(0.05)
        items["slots"] = popularity[:, None] * shares * random.random((count, 1), np.float32)
        return items

    def users(self, numbers: Rows) -> Records:
        """Return (n,) records of a block of viewers: most of them with a full history."""
        random = np.random.default_rng([self.seed, 4, int(numbers[0])])
        count = len(numbers)
        users = np.repeat(empty_user(), count)
        users["landmark_ms"] = self.now_ms - HOUR_MS
        users["first_at_ms"] = self.now_ms - random.integers(1, 60, count) * DAY_MS
        users["last_at_ms"] = self.now_ms - random.integers(60_000, 2 * DAY_MS, count)
        users["region"] = random.integers(1, len(REGIONS) + 1, count)
        length = np.minimum(random.geometric(0.03, count), HISTORY)
        users["history_count"] = length
        tastes = random.integers(self.clusters, size=(count, 3))
        taste = tastes[np.arange(count)[:, None], random.integers(3, size=(count, HISTORY))]
        history = self.some_of(taste, random)
        place = np.arange(HISTORY)
        users["history"] = np.where(place < length[:, None], history, 0xFFFFFFFF)
        actions = random.choice(
            [0, CLICKED, CLICKED | WATCHED, CLICKED | WATCHED | LONG], (count, HISTORY)
        )
        users["history_action"] = np.where(place < length[:, None], actions, 0)
        users["history_at_s"] = (users["last_at_ms"][:, None] // 1000) - 60 * place
        for name in ("slots", "topic_slots", "author_slots"):
            users[name] = random.random(users[name].shape, np.float32) * np.float32(5.0)
        users["topics"] = random.integers(TOPICS, size=users["topics"].shape)
        users["authors"] = random.integers(self.authors, size=users["authors"].shape)
        return users


def vectors_of(world: BenchWorld, room: int, on_stage: OnStage) -> Floats:
    """Return (``room``, 64) unit vectors by row, as many as there are videos filled in."""
    centres = world.centres()
    vectors = np.empty((room, centres.shape[1]), np.float32)
    for rows in world.blocks(world.videos):
        vectors[rows] = world.vectors(rows, centres)
        on_stage("vectors", (rows[-1] + 1) / world.videos)
    return vectors


def means_of_histories(vectors: Floats, users: Records) -> Floats:
    """Return (U, 64) unit means of what viewers watched: about what the user tower says."""
    known = np.arange(HISTORY) < users["history_count"][:, None]
    watched = vectors[np.where(known, users["history"], 0)] * known[:, :, None]
    means = watched.sum(axis=1)
    return _unit(means)


def user_bytes(users: Records) -> list[bytes]:
    """Return each viewer's row as the store keeps it."""
    size = USER_RECORD.itemsize
    data = users.tobytes()
    return [data[first : first + size] for first in range(0, len(data), size)]


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled
