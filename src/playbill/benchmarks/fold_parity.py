"""Parity of a prepared home, whose log does not reach back to its beginning.

A prepared home's state was written down, not folded, so no log can give it back. What came since
can be checked all the same: the replay starts from the same checkpoint and rows as the live state
did, and folds the same log.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbill.app.verbs import Home
from playbill.benchmarks.capacity import OnStage
from playbill.core import BrokenContract
from playbill.features import MemoryUserState, NoCheckpoint, Replay, check_parity, load_checkpoint
from playbill.features.checkpoint import CHECKPOINT_FILE

_FOLDER = "fold-start"


@dataclass(frozen=True, slots=True)
class Start:
    """Where the live state started from.

    ``folder`` holds the checkpoint under another name, ``users`` the rows of those who will ask for
    feeds. Nobody else's row bears on what those are served.
    """

    folder: Path
    users: MemoryUserState


def kept_start(home: Home, asking: list[str]) -> Start:
    """Keep where a home stands that does not run; the caller removes the folder.

    Args:
        home: it.
        asking: ids of the viewers who will ask for feeds.
    """
    wiring = home.wiring
    folder = wiring.layout.home / _FOLDER
    folder.mkdir(exist_ok=True)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    os.link(wiring.layout.checkpoints / CHECKPOINT_FILE, folder / CHECKPOINT_FILE)
    pseudonym = wiring.pseudonyms().user
    keys = [pseudonym(name) for name in asking]
    store = wiring.users(writer=False)
    try:
        found = zip(keys, store.read_many(keys), strict=True)
        rows = {key: row for key, row in found if row is not None}
        return Start(folder, MemoryUserState(store.epoch(), rows))
    finally:
        store.close()


def parity_since(start: Start, home: Home, sample: int, on_stage: OnStage) -> dict[str, Any]:
    """Return how many vectors served since were recomputed, and how many are equal in every bit.

    Raises:
        BrokenContract: the checkpoint that was kept cannot be read.
    """
    state = load_checkpoint(start.folder, home.settings)
    if isinstance(state, NoCheckpoint):
        raise BrokenContract(state.why)
    log = home.wiring.log()
    replay = Replay(log, home.settings, state, start.users)
    report = check_parity(log, home.settings, sample, 0, on_stage, replay)
    return {
        "from_epoch": start.users.epoch() + 1,
        "requests": report.requests,
        "compared": report.compared,
        "equal": report.equal,
    }
