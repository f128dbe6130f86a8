"""No torn read: a process that publishes all the time, and a reader that trusts the lock alone."""

import subprocess
import sys

import numpy as np
import pytest

from laws.ranking_worlds import TickingClock, candidates, request
from playbill.features import FEATURE_NAMES
from playbill.features.adapters.shared_items import SharedItems
from playbill.ranking import Hydrator

VIDEOS = 2_000
SIZES = {"item_capacity": 4_096, "group_capacity": 256, "regions": 1}
ENOUGH = 200

_WRITER = """
import sys
import threading
from pathlib import Path

import numpy as np

from playbill.features.adapters.shared_items import SharedItems
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, VISIBLE
from playbill.features.state import FeatureState

items = SharedItems(
    Path(sys.argv[1]), item_capacity=4_096, group_capacity=256, regions=1, create=True
)
state, count = FeatureState(1), int(sys.argv[2])
videos, authors = np.zeros(count, ITEM_RECORD), np.zeros(1, GROUP_RECORD)
videos["key"], authors["key"] = np.arange(1, count + 1), 1
videos["flags"], videos["topics"] = VISIBLE, 0xFFFF
state.items.restore(videos)
state.authors.restore(authors)
rows = np.arange(count), np.zeros(1, np.int64), np.empty(0, np.int64)
breath = threading.Event()
while True:
    state.epoch += 1
    state.items.used()["duration_ms"] = 1_000 * state.epoch
    items.publish(state, rows, 0)
    if state.epoch == 1:
        print("ready", flush=True)
    breath.wait(0.002)
"""


@pytest.fixture
def published(tmp_path):
    """Yield item state that another process publishes, every video playing an epoch's seconds."""
    path = tmp_path / "items.state"
    command = [sys.executable, "-c", _WRITER, str(path), str(VIDEOS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "ready\n"
        reader = SharedItems(path, **SIZES, create=False)
        yield reader
        writer.kill()
        reader.close()


def test_a_settled_reading_beside_another_process_is_of_one_epoch(published):
    hydrator, duration = Hydrator(published, TickingClock()), FEATURE_NAMES.index("item_duration")
    settled, epochs = 0, set()
    for _ in range(200_000):
        hydrated = hydrator.fill(request(), candidates(VIDEOS))
        if not hydrated.settled:
            continue
        settled += 1
        epochs.add(hydrated.item_epoch)
        column = hydrated.features[:, duration]
        assert (column == column[0]).all(), "videos of two epochs in one reading"
        assert column[0] == pytest.approx(np.float32(np.log1p(hydrated.item_epoch)), rel=1e-6)
        if settled >= ENOUGH and len(epochs) > 1:
            break
    assert settled >= ENOUGH
    assert len(epochs) > 1
