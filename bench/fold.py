"""The fold: epochs of 100,000 events into item state and viewers' rows, in memory."""

import time

import numpy as np

from bench.measure import Measurement, one_core, repeated
from bench.records import NOW_MS, catalogue, events
from playbill.contracts import Settings
from playbill.events import EpochInput
from playbill.features import FeatureState, Fold, MemoryUserState

EVENTS, VIEWERS, VIDEOS = 100_000, 10_000, 20_000


def measure_fold(repeats: int) -> Measurement:
    """Return events per second folded, dedupe, trending and viewers' rows included."""
    with one_core():
        settings = Settings()
        state, users = FeatureState.empty(settings), MemoryUserState()
        fold = Fold(settings, state, users)
        videos = catalogue(VIDEOS)
        posted = fold.absorb(EpochInput(1, NOW_MS, videos=videos))
        users.commit(1, posted.users, posted.texts)
        keys = np.array([video.key for video in videos], np.uint64)

        def work() -> float:
            epoch = state.epoch + 1
            at_ms = NOW_MS + 1_000 * epoch
            records = events(EVENTS, VIEWERS, keys, at_ms, epoch)
            started_s = time.perf_counter()
            folded = fold.absorb(EpochInput(epoch, at_ms, events=[records]))
            users.commit(epoch, folded.users, folded.texts)
            return EVENTS / (time.perf_counter() - started_s)

        rates = repeated(work, repeats)
    return Measurement("fold", "events/s, epochs of 100,000 by 10,000 viewers", rates, 500_000)
