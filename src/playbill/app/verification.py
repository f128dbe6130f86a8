"""Does the state equal the log? Recovered state against a fold from nothing, bit for bit."""

import hashlib
from collections.abc import Callable

import msgspec

from playbill.app.wiring import Wiring
from playbill.contracts import UserState
from playbill.events import EpochLog
from playbill.features import Replay, state_digest
from playbill.features.adapters.shared_items import SharedItems


class StateReport(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of the recovered state and of the log folded from nothing."""

    epoch: int
    equal: bool
    item_state: str
    replayed_item_state: str
    users: str
    replayed_users: str
    user_rows: int


def users_digest(users: UserState) -> tuple[str, int]:
    """Return one hash over all viewers' rows, and how many there are."""
    digest = hashlib.sha256()
    count = 0
    for user, row in users.rows():
        digest.update(user)
        digest.update(row)
        count += 1
    return "sha256:" + digest.hexdigest(), count


def verify_state(
    wiring: Wiring, on_progress: Callable[[str, float], None] | None = None
) -> StateReport:
    """Recover as the updater does, then replay from nothing, and compare; needs a quiet home."""
    log = wiring.log()
    last = EpochLog(log).last()
    users = wiring.users(writer=True)
    items: SharedItems = wiring.items(create=True)
    updater = wiring.updater(users, items)
    updater.recover()
    replay = Replay.from_nothing(log, wiring.settings)
    for content in replay.contents():
        replay.fold(content)
        if on_progress is not None and content.epoch % 100 == 0:
            on_progress("fold from nothing", content.epoch / max(last.epoch, 1))
    recovered, rows = users_digest(users)
    replayed, _ = users_digest(replay.users)
    users.close()
    ours, theirs = state_digest(updater.state), state_digest(replay.state)
    return StateReport(
        epoch=last.epoch,
        equal=ours == theirs and recovered == replayed,
        item_state=ours,
        replayed_item_state=theirs,
        users=recovered,
        replayed_users=replayed,
        user_rows=rows,
    )
