"""Admit, append, read: everything between a client's event and the ordered log."""

from playbill.events.admission import Admission, Admitted, Bounds, Vocabulary
from playbill.events.batches import (
    EpochInput,
    Impressions,
    ServedFeeds,
    decode_stored,
    decode_videos,
    encode_events,
    encode_impressions,
    encode_takedowns,
    encode_users,
    encode_videos,
)
from playbill.events.collector import Collector
from playbill.events.dead_letters import DeadLetter, DeadLetters
from playbill.events.decoding import decode_events_body, rejection_of
from playbill.events.epochs import EpochLog, EpochRecord, read_epoch
from playbill.events.facts import store_user, store_video
from playbill.events.group_commit import GroupCommit
from playbill.events.memory import MemoryEventLog
from playbill.events.newest import newest_feeds

__all__ = [
    "Admission",
    "Admitted",
    "Bounds",
    "Collector",
    "DeadLetter",
    "DeadLetters",
    "EpochInput",
    "EpochLog",
    "EpochRecord",
    "GroupCommit",
    "Impressions",
    "MemoryEventLog",
    "ServedFeeds",
    "Vocabulary",
    "decode_events_body",
    "decode_stored",
    "decode_videos",
    "encode_events",
    "encode_impressions",
    "encode_takedowns",
    "encode_users",
    "encode_videos",
    "newest_feeds",
    "read_epoch",
    "rejection_of",
    "store_user",
    "store_video",
]
