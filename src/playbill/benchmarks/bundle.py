"""Networks of the real shapes over the benchmark's catalogue: seeded, scaled to its features."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.benchmarks.world import REGIONS, TOPICS, WORDS, BenchWorld
from playbill.contracts import TrainingSettings, ValueSettings
from playbill.features import Assembler, ItemTables
from playbill.models import INTERESTS, RANKER_INPUTS, ContentTower, Interests, value_vector
from playbill.models.content_tower import DURATION_EDGES_MS, LANGUAGES
from playbill.models.interests import DEEDS
from playbill.models.tasks import WIDTH

_BENDS = 0.1
"""Spread of what a curve adds over a stretch, as in trained ones."""

Records = npt.NDArray[np.void]
Rows = npt.NDArray[np.int64]


def write_networks(
    folder: Path, tables: ItemTables, users: Records, candidates: Rows, world: BenchWorld
) -> None:
    """Write ranker, light scorer, user tower and content tower.

    The light scorer is distilled from the ranker on what the ranker says of (U, C) candidates of
    (U,) viewers, as in training, so that the two agree about as much as trained ones do.
    """
    import torch

    from playbill.models import Ranker
    from playbill.models.curves import STRETCHES
    from playbill.models.networks import RankerNetwork, RankerShape
    from playbill.models.onnx_graphs import ranker_graph
    from playbill.models.user_graph import user_tower_graph
    from playbill.models.user_network import UserNetwork
    from playbill.training.eight_bit_training import Lists, fit_eight_bits
    from playbill.training.light_training import distil_light

    features = _features(tables, users, candidates, world)
    interests = _interests(world)
    interests.save(folder)
    history = (
        np.repeat(users["history"], candidates.shape[1], axis=0),
        np.repeat(users["history_action"], candidates.shape[1], axis=0),
    )
    asked = np.concatenate([features, interests.crossed(candidates.ravel(), *history)], axis=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(world.seed)
        hidden = TrainingSettings().hidden
        sizes = (2, len(REGIONS) + 1, TOPICS + 1)
        shape = RankerShape(RANKER_INPUTS, sizes, hidden, stretches=STRETCHES)
        network = RankerNetwork(shape, asked.mean(axis=0), asked.std(axis=0)).eval()
        network.bend_at(torch.from_numpy(features))
        torch.nn.init.normal_(network.bends, std=_BENDS)
        user = UserNetwork().eval()
    (folder / "ranker.onnx").write_bytes(ranker_graph(network))
    (folder / "user_tower.onnx").write_bytes(user_tower_graph(user))
    ranker, codes = Ranker.load(folder / "ranker.onnx", RANKER_INPUTS), (len(users), -1, 3)
    categories, value = np.ones((len(features), 3), np.int64), value_vector(ValueSettings())
    utility = ranker.score(asked, categories) @ value
    distil_light(features, utility, 1).save(folder / "light.npz")
    lists = Lists(asked.reshape(len(users), -1, RANKER_INPUTS), categories.reshape(codes))
    ranges, _ = fit_eight_bits((folder / "ranker.onnx").read_bytes(), lists, value)
    if ranges is not None:
        ranges.save(folder)
    random = np.random.default_rng([world.seed, 7])
    ContentTower(
        random.standard_normal((TOPICS, WIDTH), np.float32),
        np.empty(0, np.uint32),
        np.empty((0, WIDTH), np.float32),
        np.arange(1, WORDS + 1, dtype=np.uint16),
        random.standard_normal((WORDS, WIDTH), np.float32) * np.float32(0.1),
        random.standard_normal((LANGUAGES, WIDTH), np.float32) * np.float32(0.1),
        random.standard_normal((len(DURATION_EDGES_MS) + 1, WIDTH), np.float32) * np.float32(0.1),
    ).save(folder / "content_tower.npz")


def _interests(world: BenchWorld) -> Interests:
    """Return a byte a coordinate of every video, drawn."""
    random = np.random.default_rng([world.seed, 8])
    codes = random.integers(-127, 128, (world.videos, INTERESTS), np.int8)
    deeds = random.standard_normal((DEEDS, INTERESTS), np.float32) * np.float32(0.05)
    return Interests(codes, np.float32(0.001), deeds)


def _features(
    tables: ItemTables, users: Records, candidates: Rows, world: BenchWorld
) -> npt.NDArray[np.float32]:
    assembler = Assembler()
    return np.concatenate(
        [
            assembler.read(tables, rows, users[n : n + 1], world.now_ms).copy()
            for n, rows in enumerate(candidates)
        ]
    )
