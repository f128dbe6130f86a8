"""What a stored batch's bytes mean, both ways."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import (
    EVENT_RECORD,
    REQUEST_RECORD,
    SHOWN_RECORD,
    Batch,
    BatchKind,
    StoredUser,
    StoredVideo,
    Takedown,
)
from playbill.core import BrokenContract

Records = npt.NDArray[np.void]
Decoded = TypeVar("Decoded")

_videos = msgspec.msgpack.Decoder(list[StoredVideo])
_takedowns = msgspec.msgpack.Decoder(list[Takedown])
_users = msgspec.msgpack.Decoder(list[StoredUser])
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Impressions:
    """Served feeds as columns: R requests that showed S videos together.

    ``requests`` is (R,) ``REQUEST_RECORD``; ``shown`` is (S,) ``SHOWN_RECORD``, request by
    request, position by position.
    """

    requests: Records
    shown: Records

    @classmethod
    def joined(cls, parts: Sequence["Impressions"]) -> "Impressions":
        """Return all the requests of several, in order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([np.empty(0, REQUEST_RECORD), *(part.requests for part in parts)]),
            np.concatenate([np.empty(0, SHOWN_RECORD), *(part.shown for part in parts)]),
        )

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Impressions":
        """Return the requests where (R,) ``chosen`` is True, with what they showed."""
        return Impressions(
            self.requests[chosen], self.shown[np.repeat(chosen, self.requests["count"])]
        )


@dataclass(slots=True)
class EpochInput:
    """Everything that one epoch folds, in the order in which it is folded."""

    epoch: int
    at_ms: int
    videos: list[StoredVideo] = field(default_factory=list)
    takedowns: list[Takedown] = field(default_factory=list)
    users: list[StoredUser] = field(default_factory=list)
    events: list[Records] = field(default_factory=list)
    impressions: list[Impressions] = field(default_factory=list)

    def add(self, kind: BatchKind, payload: bytes) -> None:
        """Take one stored batch in; kinds that no fold reads are passed over.

        Raises:
            BrokenContract: the batch is torn.
        """
        match kind:
            case BatchKind.EVENTS:
                self.events.append(decode_stored(kind, payload, _event_records))
            case BatchKind.IMPRESSIONS:
                self.impressions.append(decode_impressions(payload))
            case BatchKind.VIDEOS:
                self.videos.extend(decode_videos(payload))
            case BatchKind.TAKEDOWNS:
                self.takedowns.extend(decode_stored(kind, payload, _takedowns.decode))
            case BatchKind.USERS:
                self.users.extend(decode_stored(kind, payload, _users.decode))
            case _:
                return

    def event_records(self) -> Records:
        """Return (E,) ``EVENT_RECORD`` of the whole epoch, in order."""
        if not self.events:
            return np.empty(0, EVENT_RECORD)
        return self.events[0] if len(self.events) == 1 else np.concatenate(self.events)

    def served(self) -> Impressions:
        """Return all served feeds of the epoch as one pair of columns."""
        return Impressions.joined(self.impressions)


def decode_stored(kind: BatchKind, payload: bytes, decode: Callable[[bytes], Decoded]) -> Decoded:
    """Return what a stored batch holds.

    Args:
        kind: names the batch in the error.
        payload: its bytes, as the log returned them.
        decode: reads them whole.

    Raises:
        BrokenContract: the bytes are not those of such a batch.
    """
    try:
        return decode(payload)
    except (ValueError, msgspec.DecodeError) as error:
        raise BrokenContract(
            f"a stored batch of {kind.name.lower()} with {len(payload):,} bytes is torn: {error}",
            hint="restore the log folder from a backup; what the log took in is never torn",
        ) from error


def _event_records(payload: bytes) -> Records:
    return np.frombuffer(payload, EVENT_RECORD)


ServedFeeds = Sequence[tuple[Records, Records]]
"""Pairs of one (1,) ``REQUEST_RECORD`` and its (n,) ``SHOWN_RECORD``."""


def encode_events(records: Records) -> Batch:
    """Return the batch of (E,) ``EVENT_RECORD``."""
    return Batch(BatchKind.EVENTS, len(records), records.tobytes())


def encode_impressions(feeds: ServedFeeds) -> Batch:
    """Return the batch of several served feeds: a count, the heads, then what they showed."""
    parts = [np.uint32(len(feeds)).tobytes()]
    parts += [head.tobytes() for head, _ in feeds]
    parts += [shown.tobytes() for _, shown in feeds]
    return Batch(BatchKind.IMPRESSIONS, len(feeds), b"".join(parts))


def decode_impressions(payload: bytes) -> Impressions:
    """Return the columns of an impressions batch.

    Raises:
        BrokenContract: the batch is torn: the counts inside do not add up to its length.
    """
    return decode_stored(BatchKind.IMPRESSIONS, payload, _impressions)


def _impressions(payload: bytes) -> Impressions:
    count = int(np.frombuffer(payload, "<u4", 1)[0])
    requests = np.frombuffer(payload, REQUEST_RECORD, count, offset=4)
    shown = np.frombuffer(payload, SHOWN_RECORD, offset=4 + requests.nbytes)
    announced = int(requests["count"].sum())
    if announced != len(shown):
        raise ValueError(f"it announces {announced} places and holds {len(shown)}")
    return Impressions(requests, shown)


def encode_videos(videos: Sequence[StoredVideo]) -> Batch:
    """Return the batch of catalogue entries."""
    return Batch(BatchKind.VIDEOS, len(videos), _encode(videos))


def decode_videos(payload: bytes) -> list[StoredVideo]:
    """Return the catalogue entries of a batch.

    Raises:
        BrokenContract: the batch is torn.
    """
    return decode_stored(BatchKind.VIDEOS, payload, _videos.decode)


def encode_takedowns(takedowns: Sequence[Takedown]) -> Batch:
    """Return the batch of take-downs."""
    return Batch(BatchKind.TAKEDOWNS, len(takedowns), _encode(takedowns))


def encode_users(users: Sequence[StoredUser]) -> Batch:
    """Return the batch of viewers' facts."""
    return Batch(BatchKind.USERS, len(users), _encode(users))
