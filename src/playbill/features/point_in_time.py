"""Features as they were served: recomputed while a replay passes the epochs of each request."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import UserState
from playbill.events import Impressions
from playbill.features.assembler import Assembler, Floats, ItemTables, Records
from playbill.features.expand import IMPRESSION, is_viewability
from playbill.features.key_table import number_ids
from playbill.features.layout import USER_RECORD, empty_user
from playbill.features.state import FeatureState


@dataclass(frozen=True, slots=True)
class Block:
    """N rows of features with the requests they belong to.

    ``features`` (N, F); ``rows`` (N,) item rows; ``owner`` (N,) index of each row's request among
    the caller's requests (served feeds) or of its event among the epoch's events (exposures);
    ``place`` (N,) index into the shown videos, or -1; ``at_ms`` (N,) the instant of reading.
    """

    features: Floats
    rows: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    at_ms: npt.NDArray[np.int64]


class ServedFeatures:
    """Recompute the features of served feeds.

    Args:
        served: (R,) requests and what they showed; a request is read at the later of its two
            epochs, which for every settled request is the epoch of the item state.
    """

    def __init__(self, served: Impressions) -> None:
        self._served = served
        heads = served.requests
        self._item_epoch = np.maximum(heads["item_epoch"], heads["user_epoch"])
        self._by_user = _Index(heads["user_epoch"])
        self._by_item = _Index(self._item_epoch)
        counts = heads["count"].astype(np.int64)
        self._starts = np.cumsum(counts) - counts
        self._waiting: dict[int, bytes] = {}
        self._assembler = Assembler()

    def visit(self, state: FeatureState, users: UserState) -> Block | None:
        """Return the features of the requests that the state's epoch completes, None for none."""
        empty = empty_user().tobytes()
        wanted = self._by_user.at(state.epoch)
        if len(wanted):
            keys = [name.tobytes() for name in self._served.requests["user"][wanted]]
            for request, row in zip(wanted, users.read_many(keys), strict=True):
                self._waiting[int(request)] = row or empty
        ready = self._by_item.at(state.epoch)
        if not len(ready):
            return None
        heads = self._served.requests[ready]
        rows_of_users = [
            self._waiting.pop(int(request), empty) if heads["personalised"][n] else empty
            for n, request in enumerate(ready)
        ]
        return self._read(state, ready, heads, rows_of_users)

    def _read(
        self, state: FeatureState, ready: npt.NDArray[np.int64], heads: Records, users: list[bytes]
    ) -> Block | None:
        counts = heads["count"].astype(np.int64)
        place = _ranges(self._starts[ready], counts)
        owner = np.repeat(ready, counts)
        rows = state.items.rows(np.ascontiguousarray(self._served.shown["video"][place]))
        known = rows >= 0
        rows, owner, place = rows[known], owner[known], place[known]
        request = np.searchsorted(ready, owner)
        starts = np.searchsorted(request, np.arange(len(ready) + 1))
        features = self._assembler.read_many(
            tables_of(state),
            rows,
            starts,
            np.frombuffer(b"".join(users), USER_RECORD),
            np.ascontiguousarray(heads["at_ms"]),
        )
        return Block(features, rows, owner, place, heads["at_ms"][request])


class ExposureFeatures:
    """Read the features of impressions that clients or importers reported.

    Nobody recorded what state ranked those, so they are read from the epoch before the one that
    holds them. All of one viewer's impressions in an epoch are read from one snapshot, at the
    instant of the first of them.
    """

    def __init__(self) -> None:
        self._assembler = Assembler()

    def read(self, state: FeatureState, users: UserState, events: Records) -> Block | None:
        """Return features of the exposures among (E,) events about to be folded, None for none."""
        exposed = np.flatnonzero((events["kind"] == IMPRESSION) & ~is_viewability(events))
        rows = state.items.rows(np.ascontiguousarray(events["video"][exposed]))
        exposed, rows = exposed[rows >= 0], rows[rows >= 0]
        if not len(exposed):
            return None
        ids = np.ascontiguousarray(events["user"][exposed])
        numbers, firsts = number_ids(ids)
        order = np.argsort(numbers, kind="stable")
        exposed, rows, numbers = exposed[order], rows[order], numbers[order]
        keys: Sequence[bytes] = [name.tobytes() for name in ids[firsts]]
        empty = empty_user().tobytes()
        stored = [row or empty for row in users.read_many(keys)]
        at_ms = np.full(len(keys), np.iinfo(np.int64).max)
        np.minimum.at(at_ms, numbers, events["at_ms"][exposed])
        at_ms = np.maximum(at_ms, state.at_ms)
        starts = np.searchsorted(numbers, np.arange(len(keys) + 1))
        table = np.frombuffer(b"".join(stored), USER_RECORD)
        features = self._assembler.read_many(tables_of(state), rows, starts, table, at_ms)
        return Block(features, rows, exposed, np.full(len(rows), -1), at_ms[numbers])


def tables_of(state: FeatureState) -> ItemTables:
    """Return a state's records as the assembler takes them."""
    return ItemTables(state.items.records, state.authors.records, state.topics.records)


class _Index:
    """Which requests belong to an epoch."""

    def __init__(self, epochs: npt.NDArray[np.int64]) -> None:
        self._order = np.argsort(epochs, kind="stable")
        self._sorted = epochs[self._order]

    def at(self, epoch: int) -> npt.NDArray[np.int64]:
        first, last = np.searchsorted(self._sorted, [epoch, epoch + 1])
        return np.sort(self._order[first:last])


def _ranges(starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the ranges ``starts[i] : starts[i] + counts[i]`` laid end to end."""
    total = int(counts.sum())
    within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + within
