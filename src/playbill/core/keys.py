"""Fixed-width keys for names of any length: what the log, the state and the index speak in.

A video, an author and a session become 64 bits; a collision among videos is refused when the
second one is posted, or else decided by the fold. Users and events become 128 bits, because
nothing could refuse those.
"""

import hashlib
import itertools
import re

from playbill.core.errors import InvalidInput

KEY_ABSENT = 0
_MASK64 = (1 << 64) - 1
_EPOCH_MS = 1_577_836_800_000
_COUNTER_BITS = 12
_WORKER_BITS = 10
_CLOCK_BITS = 41
_HEX16 = re.compile(r"[0-9a-fA-F]{16}")
FOREIGN_REQUEST = 1 << 63
"""The bit that marks a request id as the platform's own: ours start with 0 to 7."""


def key64(name: str) -> int:
    """Return the 64-bit key of a public name, never 0, the key of nothing."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") or 1


def key128(name: str, secret: bytes) -> bytes:
    """Return 16 bytes that stand for a name and cannot be undone without the secret.

    Source: docs/decisions/0003-identity-in-the-log.md
    """
    return hashlib.blake2b(name.encode(), digest_size=16, key=secret).digest()


class RequestIds:
    """Issue request keys: 0, 41 bits of milliseconds since 2020, 10 of the worker, 12 of a counter.

    Keys of one worker are unique while it answers fewer than 4,096 requests in a millisecond,
    and sort by time. Two workers never share a number while the supervisor gives each its own.
    """

    def __init__(self, worker: int) -> None:
        self._worker = (worker % (1 << _WORKER_BITS)) << _COUNTER_BITS
        self._counter = itertools.count()

    def issue(self, at_ms: int) -> int:
        """Return the next key."""
        clock = ((at_ms - _EPOCH_MS) % (1 << _CLOCK_BITS)) << (_COUNTER_BITS + _WORKER_BITS)
        return clock | self._worker | (next(self._counter) % (1 << _COUNTER_BITS))


def request_name(key: int) -> str:
    """Return how a request key is written to a client: 16 hex digits."""
    return f"{key & _MASK64:016x}"


def request_key(name: str) -> int:
    """Return the key of a written request id.

    Raises:
        InvalidInput: the text is not 16 hex digits.
    """
    if len(name) != 16:
        raise InvalidInput(
            f"request_id has {len(name)} characters; a request id is 16 hex digits",
            field="request_id",
            hint="send back the request_id of the feed reply as it was",
        )
    if not _HEX16.fullmatch(name):
        raise InvalidInput(
            "request_id is not hexadecimal; a request id is 16 hex digits",
            field="request_id",
            hint="send back the request_id of the feed reply as it was",
        )
    return int(name, 16)
