"""Data-set replay: the log folded again, and the features of every served video recomputed."""

import time

import numpy as np

from bench.measure import Measurement, one_core, repeated
from bench.records import NOW_MS, catalogue, events
from playbill.contracts import REQUEST_RECORD, SHOWN_RECORD, Settings
from playbill.events import (
    EpochLog,
    EpochRecord,
    Impressions,
    MemoryEventLog,
    encode_events,
    encode_impressions,
    encode_videos,
)
from playbill.features import Replay, ServedFeatures

EPOCHS, FEEDS, SHOWN, EVENTS, VIDEOS, VIEWERS = 5, 2_000, 20, 20_000, 20_000, 10_000


def made_log() -> tuple[MemoryEventLog, Impressions]:
    """Return a log of 200,000 served impressions, and the served feeds themselves."""
    log = MemoryEventLog()
    writer, epochs = log.writer("serve"), log.writer("epochs")
    videos = catalogue(VIDEOS)
    keys = np.array([video.key for video in videos], np.uint64)
    offset = writer.append([encode_videos(videos)], NOW_MS)
    EpochLog(log).append(epochs, EpochRecord(epoch=1, at_ms=NOW_MS, upto={"serve": offset}))
    random = np.random.default_rng(5)
    heads, shown = [], []
    for epoch in range(2, EPOCHS + 2):
        at_ms = NOW_MS + 1_000 * epoch
        requests = np.zeros(FEEDS, REQUEST_RECORD)
        requests["request"] = epoch * FEEDS + np.arange(FEEDS)
        requests["user"][:, 0] = random.integers(1, VIEWERS + 1, FEEDS)
        requests["user"][:, 1] = 1
        requests["at_ms"], requests["count"] = at_ms, SHOWN
        requests["item_epoch"] = requests["user_epoch"] = epoch - 1
        requests["settled"] = requests["personalised"] = requests["region"] = 1
        places = np.zeros(FEEDS * SHOWN, SHOWN_RECORD)
        places["video"] = keys[random.integers(0, VIDEOS, FEEDS * SHOWN)]
        feeds = [(requests[n : n + 1], places[n * SHOWN : (n + 1) * SHOWN]) for n in range(FEEDS)]
        batches = [
            encode_events(events(EVENTS, VIEWERS, keys, at_ms, epoch)),
            encode_impressions(feeds),
        ]
        offset = writer.append(batches, at_ms)
        EpochLog(log).append(epochs, EpochRecord(epoch=epoch, at_ms=at_ms, upto={"serve": offset}))
        heads.append(requests)
        shown.append(places)
    return log, Impressions(np.concatenate(heads), np.concatenate(shown))


def measure_replay(repeats: int) -> Measurement:
    """Return impressions per second: folded, and their 52 features recomputed."""
    with one_core():
        log, served = made_log()

        def work() -> float:
            started_s = time.perf_counter()
            replay = Replay.from_nothing(log, Settings())
            features = ServedFeatures(served)
            rows = 0
            for content in replay.contents():
                replay.fold(content)
                block = features.visit(replay.state, replay.users)
                rows += 0 if block is None else len(block.rows)
            assert rows == len(served.shown)
            return rows / (time.perf_counter() - started_s)

        rates = repeated(work, repeats)
    return Measurement("replay", "impressions/s, features recomputed", rates, 200_000)
