"""The slate: twenty places among 500 candidates, of which the heavy scorer ranked 200."""

import time

import numpy as np

from bench.measure import Measurement, one_core, repeated
from playbill.contracts import ServingSettings
from playbill.features import GROUP_RECORD, ITEM_RECORD, ItemTables, empty_user
from playbill.ranking import Candidates, Policies, RankingRequest
from playbill.retrieval import SOURCE_CODES, ItemView, Query

CANDIDATES, RANKED, PLACES, SLATES = 500, 200, 20, 5_000
AUTHORS, TOPICS, EXPLORED = 120, 40, 30


def measure_slate(repeats: int) -> Measurement:
    """Return slates per second under the default settings, and what single rules cost."""
    with one_core():
        plain = {"author_gap": 0, "diversity": 0.0, "repeat_penalty": 0.0, "explore_share": 0.0}
        told = {
            "by caps alone": ServingSettings(**plain),
            "with diversity": ServingSettings(**{**plain, "diversity": 0.1}),
            "without exploration": ServingSettings(explore_share=0.0),
            "with a creator floor": ServingSettings(creator_floor=0.1),
        }
        rates = repeated(_slates_of(ServingSettings()), repeats)
        notes = [
            f"{name}: {1e6 / max(repeated(_slates_of(settings), repeats)):.0f} us a slate at best"
            for name, settings in told.items()
        ]
    return Measurement("slate", "slates/s of 20 among 500 candidates", rates, None, notes)


def _slates_of(settings: ServingSettings):
    random = np.random.default_rng(1)
    items = np.zeros(CANDIDATES, ITEM_RECORD)
    items["author"] = random.integers(0, AUTHORS, CANDIDATES)
    items["topics"] = random.integers(0, TOPICS, (CANDIDATES, 4))
    tables = ItemTables(items, np.zeros(AUTHORS, GROUP_RECORD), np.zeros(TOPICS, GROUP_RECORD))
    view = ItemView(tables, np.empty((0, 0), np.int64), 1, 1)
    utility = np.full(CANDIDATES, -np.inf, np.float32)
    utility[:RANKED] = random.normal(size=RANKED)
    sources = np.ones(CANDIDATES, np.uint8)
    sources[-EXPLORED:] = SOURCE_CODES["explore"]
    candidates = Candidates(np.arange(CANDIDATES), sources, utility=utility)
    query = Query(empty_user(), 1, None, random)
    nothing = np.empty(0, np.int64)
    asked = RankingRequest(query, 1, PLACES, nothing, at_ms=1, user_epoch=0)
    selector = Policies(settings).of(1).selector

    def work() -> float:
        started_s = time.perf_counter()
        for _ in range(SLATES):
            selector.select(asked, candidates, view)
        return SLATES / (time.perf_counter() - started_s)

    return work
