"""What the tests of this station share: a deployment's settings, bodies and fakes."""

import threading

import msgspec

from playbill.contracts import Event, EventType, Settings
from playbill.core import DependencyUnavailable, FixedClock
from playbill.events import Collector, DeadLetters, GroupCommit, MemoryEventLog
from playbill.privacy import MemoryKeyStore, Pseudonyms, Sealer

NOW_MS = 1_700_000_000_000
SETTINGS = Settings(regions=("world", "eu"), surfaces=("home", "search"))
KEYS = MemoryKeyStore()
PSEUDONYMS = Pseudonyms(KEYS.secret("pseudonym"))
SEALER = Sealer(KEYS.secret("dead-letters"))
ROOM = 100_000


def fields(number=0, **changed):
    """Return one good event as a client sends it."""
    base = {
        "event_id": f"event-{number}",
        "type": "click",
        "user_id": "user-1",
        "video_id": "video-1",
        "at": NOW_MS,
    }
    return {name: value for name, value in (base | changed).items() if value is not None}


def event(number=0, **changed):
    """Return one good event, typed."""
    return msgspec.convert(fields(number, **changed), Event)


def body_of(*texts):
    """Return the body of a batch from the JSON texts of its events."""
    return b'{"events":[' + b",".join(texts) + b"]}"


def body(*events):
    """Return the body of a batch from its events' fields."""
    return body_of(*map(msgspec.json.encode, events))


def valid_fields(kind):
    """Return a good event of a type."""
    if kind is EventType.WATCH:
        return fields(type=kind.value, watch_ms=5_000)
    if kind is EventType.SEARCH:
        return fields(type=kind.value, video_id=None, query="cats")
    return fields(type=kind.value)


class GatedWriter:
    """A partition writer that holds every append back until it is let through.

    ``refusals`` appends are refused first, as a full disk would.
    """

    def __init__(self, refusals=0):
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.appended = []
        self.refusals = refusals
        self.closed = False

    def append(self, batches, at_ms):
        self.entered.release()
        self.gate.acquire()
        if self.refusals:
            self.refusals -= 1
            raise DependencyUnavailable("the disk is full", code="log_unavailable")
        self.appended.append((list(batches), at_ms))
        return sum(len(group) for group, _ in self.appended)

    def let_through(self, appends=1):
        self.gate.release(appends)

    def close(self):
        self.closed = True


class Station:
    """A collector over a log in memory, and all that can be looked at afterwards."""

    def __init__(self, settings=SETTINGS, log=None, room=ROOM):
        self.clock = FixedClock(NOW_MS)
        self.log = log if log is not None else MemoryEventLog()
        self.letters = DeadLetters(self.log, SEALER)
        self.main = GroupCommit(self.log.writer("worker-1"), self.clock, room)
        self.catalogue = GroupCommit(self.log.writer("catalogue-worker-1"), self.clock, room)
        self.takedowns = GroupCommit(self.log.writer("takedowns-worker-1"), self.clock, room)
        self.dead = GroupCommit(self.log.writer("dead-worker-1"), self.clock, room)
        self.collector = Collector(
            settings,
            PSEUDONYMS,
            self.main,
            self.catalogue,
            self.takedowns,
            self.dead,
            self.letters,
            self.clock,
        )

    def stored(self, partition="worker-1"):
        return self.log.read(partition, 0, 10_000)


def settled(durable):
    """Wait until everything is durable; return the offsets."""
    return [future.result(timeout=30) for future in durable]
