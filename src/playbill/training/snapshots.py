"""What viewers had done lately at the instants their features were read."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from playbill.contracts import UserState
from playbill.features import USER_RECORD, empty_user
from playbill.training.schema import SNAPSHOT

Records = npt.NDArray[np.void]

_EMPTY = empty_user().tobytes()


def read_snapshots(users: UserState, keys: Sequence[bytes], first: int) -> Records:
    """Return (S,) ``SNAPSHOT`` of S viewers as the store has them now, numbered from ``first``."""
    rows = b"".join(row or _EMPTY for row in users.read_many(keys))
    return snapshots_of(np.frombuffer(rows, USER_RECORD), first)


def snapshots_of(users: Records, first: int) -> Records:
    """Return (S,) ``SNAPSHOT`` of (S,) ``USER_RECORD``, numbered from ``first``."""
    snapshots = np.empty(len(users), SNAPSHOT)
    snapshots["snapshot"] = np.arange(first, first + len(users))
    snapshots["count"] = users["history_count"]
    snapshots["items"] = users["history"]
    snapshots["actions"] = users["history_action"]
    return snapshots


class ServedSnapshots:
    """Snapshots of served requests, taken when replay passes the epoch of each viewer's row.

    Args:
        requests: (R,) ``REQUEST_RECORD``.
    """

    def __init__(self, requests: Records) -> None:
        self._requests = requests
        self._order = np.argsort(requests["user_epoch"], kind="stable")
        self._epochs = requests["user_epoch"][self._order]
        self.numbers: npt.NDArray[np.int64] = np.full(len(requests), -1, np.int64)

    def visit(self, users: UserState, epoch: int, first: int) -> Records | None:
        """Return the snapshots that belong to an epoch, None for none; ``numbers`` tells whose."""
        begin, end = np.searchsorted(self._epochs, [epoch, epoch + 1])
        wanted = np.sort(self._order[begin:end])
        if not len(wanted):
            return None
        self.numbers[wanted] = np.arange(first, first + len(wanted))
        heads = self._requests[wanted]
        keys = [name.tobytes() for name in heads["user"]]
        snapshots = read_snapshots(users, keys, first)
        snapshots["count"][heads["personalised"] == 0] = 0
        return snapshots
