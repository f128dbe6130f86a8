"""Training: examples a second of the ranker and of the towers, and what of it is reading."""

import time
from collections.abc import Callable

import msgspec
import numpy as np

from bench.measure import Measurement, one_core, repeated
from playbill.contracts import Settings
from playbill.features import FEATURE_NAMES, ITEM_RECORD, NO_TOPIC, VISIBLE
from playbill.features.layout import HISTORY
from playbill.training.dataset import Rows
from playbill.training.ranker_training import train_ranker
from playbill.training.sequences import Sequences
from playbill.training.split import Split
from playbill.training.tower_training import VIDEOS_PER_ROW, train_towers
from playbill.training.windows import batches, cut

ROWS, TAKES, VIDEOS = 60_000, 60_000, 20_000
SETTINGS = msgspec.structs.replace(
    Settings(),
    training=msgspec.structs.replace(Settings().training, epochs=1, tower_epochs=1),
)


def made_rows() -> tuple[Rows, Split]:
    """Return rows of numbers drawn by chance, and labels that follow from some of them."""
    random = np.random.default_rng(1)
    dense = random.normal(size=(ROWS, len(FEATURE_NAMES))).astype(np.float32)
    labels = random.random((ROWS, 4)) < 1.0 / (1.0 + np.exp(-dense[:, :4] + 1.0))
    categories = random.integers(0, 2, (ROWS, 3))
    numbers = np.arange(ROWS)
    users = numbers % 5_000
    rows = Rows(
        dense, categories, labels, numbers, users, numbers.astype(np.uint64), numbers, numbers,
        numbers % 20, np.ones(labels.shape, np.bool_),
    )  # fmt: skip
    last = ROWS * 9 // 10
    return rows, Split(last, ROWS, ROWS + 1, "shares")


def made_sequences() -> tuple[Sequences, np.ndarray]:
    """Return what viewers took of 20,000 videos, 40 each, and the videos."""
    random = np.random.default_rng(2)
    items = np.minimum((random.pareto(1.0, TAKES) * 50).astype(np.int64), VIDEOS - 1)
    videos = np.zeros(VIDEOS, ITEM_RECORD)
    videos["key"] = np.arange(1, VIDEOS + 1)
    videos["author"] = np.arange(VIDEOS) // 20
    videos["topics"] = NO_TOPIC
    videos["topics"][:, 0] = np.arange(VIDEOS) % 50
    videos["duration_ms"], videos["flags"] = 30_000, VISIBLE
    kinds = random.integers(0, 4, TAKES)
    return Sequences(items, np.arange(TAKES) // 40, kinds), videos


def _bound(name: str, rate: float, reading: float) -> str:
    """Return whether reading or computing holds a training up."""
    bound = "computing" if reading > 2.0 * rate else "reading"
    return f"{name} held up by {bound}: batches alone at {reading:,.0f}/s, {reading / rate:.0f} x"


def measure_ranker(repeats: int) -> Measurement:
    """Return rows a second that the ranker learns from."""
    with one_core():
        rows, split = made_rows()
        train = np.flatnonzero(split.train(rows.at_ms))
        size = SETTINGS.training.batch_rows

        def work() -> float:
            started_s = time.perf_counter()
            passes = train_ranker(rows, split, SETTINGS).record["passes"]
            return float(passes * len(train) / (time.perf_counter() - started_s))

        def read() -> float:
            started_s = time.perf_counter()
            order = np.random.default_rng(0).permutation(train)
            for first in range(0, len(order), size):
                part = order[first : first + size]
                _ = rows.dense[part], rows.categories[part], rows.labels[part]
            return float(len(train) / (time.perf_counter() - started_s))

        return _measured("ranker", "rows/s", work, read, repeats)


def measure_towers(repeats: int) -> Measurement:
    """Return videos a second that the towers learn to foretell."""
    with one_core():
        sequences, videos = made_sequences()
        room = SETTINGS.training.batch_rows * VIDEOS_PER_ROW

        def work() -> float:
            started_s = time.perf_counter()
            passes = train_towers(sequences, videos, SETTINGS).record["passes"]
            return float(passes * len(sequences) / (time.perf_counter() - started_s))

        def read() -> float:
            started_s, random = time.perf_counter(), np.random.default_rng(0)
            for _ in batches(sequences, cut(sequences, HISTORY, random), room, random):
                pass
            return float(len(sequences) / (time.perf_counter() - started_s))

        return _measured("towers", "videos/s", work, read, repeats)


def _measured(
    name: str, unit: str, work: Callable[[], float], read: Callable[[], float], repeats: int
) -> Measurement:
    reading = sorted(repeated(read, repeats))[repeats // 2]
    rates = [work() for _ in range(repeats)]
    found = Measurement(name, unit, rates, None)
    found.notes.append(_bound(name, found.median, reading))
    return found
