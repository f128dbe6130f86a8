"""A home of a given size, written directly: checkpoint, user store, one epoch, one bundle.

What a log of that size would have left behind is written down as it would stand, since folding
it would take hours. Everything behind it is the real thing: the updater recovers from the
checkpoint, workers map item state and the bundle, requests read the user store.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill import __version__
from playbill.app.indexing import write_index
from playbill.app.learning import hardware
from playbill.app.verbs import Home
from playbill.benchmarks.bundle import write_networks
from playbill.benchmarks.world import (
    REGIONS,
    TOPICS,
    BenchWorld,
    OnStage,
    means_of_histories,
    user_bytes,
    vectors_of,
    video_name,
    viewer_name,
)
from playbill.contracts import BUNDLE_FORMAT, Manifest, StoredVideo
from playbill.core import Conflict, NotFound, key64
from playbill.events import EpochLog, EpochRecord
from playbill.events.partitions import EPOCHS_PARTITION
from playbill.features import (
    FEATURE_NAMES,
    FeatureState,
    ItemTables,
    features_digest,
)
from playbill.features.checkpoint import save_checkpoint
from playbill.features.definitions import Signal
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD
from playbill.features.texts import (
    author_text_key,
    encode_entry,
    topic_text_key,
    video_text_key,
)

MARKER = ".playbill-bench"
_COMMIT = 100_000
_SAMPLE = 400
_CANDIDATES = 200
"""Of each of the viewers that the scorers are fitted to."""


class Prepared(msgspec.Struct, frozen=True):
    """What was prepared; kept in the home, so that a second time costs nothing."""

    videos: int
    viewers: int
    seed: int
    version: str
    features: str
    bundle: str


def prepare(folder: Path, videos: int, viewers: int, seed: int, on_stage: OnStage) -> Prepared:
    """Make a home, or return what is there if it is the same.

    Raises:
        Conflict: the folder holds something else.
    """
    known = _known(folder)
    wanted = (videos, viewers, seed, __version__, features_digest())
    if known is not None and msgspec.structs.astuple(known)[:5] == wanted:
        return known
    if known is None and folder.exists() and any(folder.iterdir()):
        raise Conflict(
            f"{folder} holds something that no benchmark made",
            hint="choose an empty folder with --home",
        )
    shutil.rmtree(folder, ignore_errors=True)
    home = Home(folder)
    capacity = max(videos + videos // 8, 1 << 16)
    world = BenchWorld(videos, viewers, seed, home.wiring.clock.now_ms())
    home.configure(
        regions=list(REGIONS),
        **{
            "state.item_capacity": capacity,
            "state.group_capacity": max(2 * world.authors, 4 * TOPICS),
            "serving.trace_share": 0.0,
        },
    )
    with home.wiring.alone():
        home.wiring.settle()
        state = _state(world, home, on_stage)
        epochs = _store(world, home, state, on_stage)
        _record_epochs(home, epochs, world.now_ms)
        state.epoch, state.at_ms = epochs, world.now_ms
        on_stage("checkpoint", 0.0)
        save_checkpoint(home.wiring.layout.checkpoints, state)
        bundle = _bundle(world, home, state, on_stage)
    prepared = Prepared(*wanted, bundle)
    (folder / MARKER).write_bytes(msgspec.json.encode(prepared))
    return prepared


def read_prepared(folder: Path) -> Prepared:
    """Return what was prepared in a folder.

    Raises:
        NotFound: nothing was, or by another version.
    """
    known = _known(folder)
    if known is None or (known.version, known.features) != (__version__, features_digest()):
        raise NotFound(
            f"{folder} is no home that this version's benchmark made",
            hint="playbill bench prepare --home FOLDER",
        )
    return known


def _known(folder: Path) -> Prepared | None:
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=Prepared)
    except (OSError, msgspec.DecodeError):
        return None


def _state(world: BenchWorld, home: Home, on_stage: OnStage) -> FeatureState:
    """Return item state with every video, author and topic."""
    items = np.zeros(world.videos, ITEM_RECORD)
    for rows in world.blocks(world.videos):
        items[rows] = world.items(rows)
        on_stage("videos", (rows[-1] + 1) / world.videos)
    state = FeatureState.empty(home.settings)
    random = np.random.default_rng([world.seed, 5])
    for table, count, name in (
        (state.authors, world.authors, "author"),
        (state.topics, TOPICS, "topic"),
    ):
        records = np.zeros(count, GROUP_RECORD)
        records["key"] = [key64(f"{name}{number}") for number in range(count)]
        records["landmark_ms"] = world.now_ms
        records["slots"] = random.random(records["slots"].shape) * 100.0
        table.restore(records)
    state.items.restore(items)
    for rows in world.blocks(world.videos):
        state.names.put(rows, [video_name(row) for row in rows.tolist()])
    shown = np.argsort(-items["slots"][:, 0])[:5_000]
    state.trending.absorb(
        shown,
        random.integers(1, len(REGIONS) + 1, len(shown)),
        np.full(len(shown), world.now_ms),
        _liked(len(shown)),
        world.now_ms,
    )
    return state


def _liked(count: int) -> npt.NDArray[np.float32]:
    signals = np.zeros((count, len(Signal)), np.float32)
    signals[:, list(Signal).index(Signal.LIKE)] = np.arange(count, 0, -1)
    return signals


def _store(world: BenchWorld, home: Home, state: FeatureState, on_stage: OnStage) -> int:
    """Fill the user store in the order of its keys; return how many epochs that took."""
    users = home.wiring.users(writer=True)
    epoch = 0
    names = {author_text_key(n): f"author{n}".encode() for n in range(world.authors)}
    names |= {topic_text_key(n): f"topic{n}".encode() for n in range(TOPICS)}
    for texts in (names, *_texts(world, state, on_stage)):
        epoch += 1
        users.commit(epoch, {}, texts)
    for rows in _viewers(world, home, on_stage):
        epoch += 1
        users.commit(epoch, rows, {})
    users.close()
    return epoch


def _texts(
    world: BenchWorld, state: FeatureState, on_stage: OnStage
) -> Iterator[dict[bytes, bytes]]:
    items = state.items.used()
    order = np.argsort(items["key"])
    for first in range(0, len(order), _COMMIT):
        rows = order[first : first + _COMMIT]
        keys, authors = items["key"][rows].tolist(), items["author"][rows].tolist()
        topics, durations = items["topics"][rows, 0].tolist(), items["duration_ms"][rows].tolist()
        created = items["created_at_ms"][rows].tolist()
        yield {
            video_text_key(key): encode_entry(
                row,
                StoredVideo(
                    key=key,
                    video_id=video_name(row),
                    author_id=f"author{author}",
                    title=f"Video {row}",
                    topics=[f"topic{topic}"],
                    language=None,
                    duration_ms=duration_ms,
                    regions=[],
                    age_rating=0,
                    created_at_ms=created_ms,
                    posted_at_ms=created_ms,
                ),
            )
            for row, key, author, topic, duration_ms, created_ms in zip(
                rows.tolist(), keys, authors, topics, durations, created, strict=True
            )
        }
        on_stage("catalogue texts", min(first + _COMMIT, len(order)) / len(order))


def _viewers(world: BenchWorld, home: Home, on_stage: OnStage) -> Iterator[dict[bytes, bytes]]:
    pseudonym = home.wiring.pseudonyms().user
    for numbers in world.blocks(world.viewers):
        rows = user_bytes(world.users(numbers))
        keys = [pseudonym(viewer_name(number)) for number in numbers.tolist()]
        yield dict(sorted(zip(keys, rows, strict=True)))
        on_stage("viewers", (numbers[-1] + 1) / world.viewers)


def _record_epochs(home: Home, epochs: int, at_ms: int) -> None:
    log = home.wiring.log_to_write()
    writer = log.writer(EPOCHS_PARTITION)
    records = [EpochRecord(epoch=n, at_ms=at_ms, upto={}) for n in range(1, epochs + 1)]
    EpochLog(log).append(writer, *records)
    writer.close()


def _bundle(world: BenchWorld, home: Home, state: FeatureState, on_stage: OnStage) -> str:
    folder = home.wiring.layout.bundles / "draft"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    items = state.items.used()
    vectors = vectors_of(world, world.videos, on_stage)
    visible = np.flatnonzero(items["flags"] & 1)
    users = world.users(np.arange(min(_SAMPLE, world.viewers)))
    write_index(
        folder / "index",
        vectors[visible],
        items[visible],
        visible,
        means_of_histories(vectors, users),
        seed=world.seed,
        regions=len(REGIONS),
        now_ms=world.now_ms,
        on_progress=lambda share: on_stage("index", share),
    )
    random = np.random.default_rng([world.seed, 6])
    tables = ItemTables(items, state.authors.used(), state.topics.used())
    candidates = random.integers(world.videos, size=(len(users), _CANDIDATES))
    write_networks(folder, tables, users, candidates, world)
    popular = visible[np.argsort(-items["slots"][visible, 0])[:200]]
    lists = {code: items["key"][popular].tolist() for code in range(len(REGIONS) + 1)}
    (folder / "popular.json").write_bytes(msgspec.json.encode(lists))
    settings = home.settings
    manifest = Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=world.now_ms,
        home=home.wiring.recorded().home,
        features=features_digest(),
        feature_names=list(FEATURE_NAMES),
        files={},
        value_weights=msgspec.to_builtins(settings.value),
        data={"rows": 0, "made": "by playbill bench prepare, not trained"},
        training={"seed": world.seed, "hardware": hardware(), "version": __version__},
        metrics={},
    )
    store = home.wiring.bundles()
    digest = store.add(folder, manifest)
    store.promote(digest)
    return digest
