"""Replay, with everything that a row needs written down as it passes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import EVENT_CODES, EventLog, EventType, Settings
from playbill.events import EpochInput, EpochLog, Impressions
from playbill.features import (
    NO_TOPIC,
    Block,
    ExposureFeatures,
    FeatureState,
    Replay,
    ServedFeatures,
    is_long_view,
)
from playbill.training.progress import OnProgress, within
from playbill.training.schema import LABELS, OUTCOME, ROW_META
from playbill.training.snapshots import ServedSnapshots, read_snapshots
from playbill.training.staging import Stage

Records = npt.NDArray[np.void]

_REPORT_EVERY = 64
_LABEL_OF = {
    EventType.CLICK: "click",
    EventType.LIKE: "like",
    EventType.HIDE: "negative",
    EventType.REPORT: "negative",
}
_WATCH = EVENT_CODES[EventType.WATCH]
_LONG_VIEW = np.uint8(1 << LABELS.index("long_view"))
_LABEL_BITS = np.zeros(len(EventType) + 1, np.uint8)
_IS_OUTCOME = np.zeros(len(EventType) + 1, np.bool_)
_IS_OUTCOME[_WATCH] = True
for _kind, _name in _LABEL_OF.items():
    _LABEL_BITS[EVENT_CODES[_kind]] = 1 << LABELS.index(_name)
    _IS_OUTCOME[EVENT_CODES[_kind]] = True


@dataclass(slots=True)
class Gathered:
    """What a replay left behind: counts, and the state at its end."""

    state: FeatureState
    rows: int = 0
    snapshots: int = 0
    served_rows: int = 0
    unsettled_rows: int = 0
    unread_requests: int = 0
    outcomes: int = 0


def gather_served(replay: Replay, up_to: int | None) -> Impressions:
    """Return every served feed of the log, (R,) requests and (S,) shown videos, in log order."""
    parts = (part for content in replay.contents(up_to) for part in content.impressions)
    return Impressions.joined(list(parts))


def gather(
    log: EventLog,
    settings: Settings,
    stage: Stage,
    up_to: int | None = None,
    on_progress: OnProgress | None = None,
) -> Gathered:
    """Replay a log from nothing into scratch files and return what it came to.

    Args:
        log: read twice: once for the served requests, once to fold.
        settings: regions and labels, as the live fold had them.
        stage: takes rows, outcomes and snapshots.
        up_to: the last epoch to replay; None for all.
    """
    replay = Replay.from_nothing(log, settings)
    last = up_to or max(EpochLog(log).last().epoch, 1)
    within(on_progress, "read served feeds")(0.0)
    gatherer = _Gatherer(replay, stage, gather_served(replay, up_to), settings)
    report = within(on_progress, "replay")
    report(0.0)
    for content in replay.contents(up_to):
        gatherer.take(content)
        if content.epoch % _REPORT_EVERY == 0:
            report(content.epoch / last)
    report(1.0)
    return gatherer.finish()


class _Gatherer:
    def __init__(
        self, replay: Replay, stage: Stage, served: Impressions, settings: Settings
    ) -> None:
        known = _readable(served)
        served = served.only(known)
        self._replay = replay
        self._stage = stage
        self._served = served
        self._long_view_ms = settings.labels.long_view_ms
        self._exposures = ExposureFeatures()
        self._served_features = ServedFeatures(served)
        self._served_snapshots = ServedSnapshots(served.requests)
        counts = served.requests["count"].astype(np.int64)
        self._starts = np.cumsum(counts) - counts
        self._read: npt.NDArray[np.bool_] = np.zeros(len(counts), np.bool_)
        self._done = Gathered(replay.state, unread_requests=int((~known).sum()))

    def take(self, content: EpochInput) -> None:
        """Read what the epoch exposes, fold it, then read the feeds that it completes."""
        replay = self._replay
        events = content.event_records()
        block = self._exposures.read(replay.state, replay.users, events)
        exposed = None if block is None else self._exposed(block, events)
        folded = replay.fold(content)
        assert folded.counted is not None
        if block is not None and exposed is not None:
            counted = folded.counted[block.owner]
            exposed["at_ms"] = np.minimum(exposed["at_ms"], content.at_ms)
            chosen: slice | npt.NDArray[np.bool_] = slice(None) if counted.all() else counted
            self._add(exposed[chosen], block.features[chosen])
        self._add_outcomes(content, events[folded.counted])
        epoch, first = replay.state.epoch, self._done.snapshots
        self._keep(self._served_snapshots.visit(replay.users, epoch, first))
        shown = self._served_features.visit(replay.state, replay.users)
        if shown is not None:
            self._add_served(shown)

    def finish(self) -> Gathered:
        """Return what it came to."""
        self._done.unread_requests += int((~self._read).sum())
        return self._done

    def _exposed(self, block: Block, events: Records) -> Records:
        """Return (N,) ``ROW_META`` of exposures about to be folded, keeping their snapshots."""
        meta = self._meta(block.rows)
        chosen = events[block.owner]
        for name in ("request", "user", "video", "at_ms", "position", "surface", "region"):
            meta[name] = chosen[name]
        users = meta["user"]
        begins = np.ones(len(users), np.bool_)
        begins[1:] = (users[1:] != users[:-1]).any(axis=1)
        keys = [name.tobytes() for name in users[begins]]
        meta["snapshot"] = self._done.snapshots + np.cumsum(begins) - 1
        self._keep(read_snapshots(self._replay.users, keys, self._done.snapshots))
        meta["read_at_ms"] = block.at_ms
        meta["item_epoch"] = self._replay.state.epoch
        meta["settled"] = 1
        return meta

    def _add_served(self, block: Block) -> None:
        heads = self._served.requests[block.owner]
        shown = self._served.shown[block.place]
        meta = self._meta(block.rows)
        for name in ("request", "user", "at_ms", "surface", "region", "tier", "bundle", "settled"):
            meta[name] = heads[name]
        for name in ("video", "source", "propensity"):
            meta[name] = shown[name]
        meta["read_at_ms"] = block.at_ms
        meta["position"] = block.place - self._starts[block.owner]
        meta["item_epoch"] = heads["item_epoch"]
        meta["snapshot"] = self._served_snapshots.numbers[block.owner]
        meta["served"] = 1
        self._read[block.owner] = True
        self._done.served_rows += len(meta)
        self._done.unsettled_rows += int((meta["settled"] == 0).sum())
        self._add(meta, block.features)

    def _meta(self, rows: npt.NDArray[np.int64]) -> Records:
        """Return (N,) ``ROW_META`` with what item state says of N videos now."""
        items = self._replay.state.items.records
        meta = np.zeros(len(rows), ROW_META)
        meta["item"] = rows
        meta["author"] = items["author"][rows]
        topic = items["topics"][:, 0][rows].astype(np.int32)
        meta["topic"] = np.where(topic == NO_TOPIC, 0, topic + 1)
        return meta

    def _add(self, meta: Records, features: npt.NDArray[np.float32]) -> None:
        meta["row_id"] = np.arange(self._done.rows, self._done.rows + len(meta))
        self._done.rows += len(meta)
        self._stage.add_rows(meta, features)

    def _keep(self, snapshots: Records | None) -> None:
        if snapshots is not None:
            self._stage.add_snapshots(snapshots)
            self._done.snapshots += len(snapshots)

    def _add_outcomes(self, content: EpochInput, events: Records) -> None:
        chosen = events[_IS_OUTCOME[events["kind"]]]
        if not len(chosen):
            return
        outcomes = np.zeros(len(chosen), OUTCOME)
        for name in ("request", "user", "video", "watch_ms"):
            outcomes[name] = chosen[name]
        outcomes["at_ms"] = np.minimum(chosen["at_ms"], content.at_ms)
        items = self._replay.state.items
        rows = items.rows(np.ascontiguousarray(chosen["video"]))
        long_view = is_long_view(chosen, rows, items.records, self._long_view_ms)
        outcomes["watched"] = chosen["kind"] == _WATCH
        outcomes["labels"] = _LABEL_BITS[chosen["kind"]]
        outcomes["labels"] |= np.where(long_view, _LONG_VIEW, np.uint8(0))
        self._done.outcomes += len(outcomes)
        self._stage.add_outcomes(outcomes)


def _readable(served: Impressions) -> npt.NDArray[np.bool_]:
    """Return (R,) True for requests that were ranked from state at an epoch."""
    heads = served.requests
    known: npt.NDArray[np.bool_] = (heads["item_epoch"] > 0) & (heads["user_epoch"] > 0)
    return known
