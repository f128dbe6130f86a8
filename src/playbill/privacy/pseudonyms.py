"""Keyed pseudonyms: the same name gives the same bytes, and nobody without the key can go back."""

from collections.abc import Callable
from functools import lru_cache

from playbill.core import key128

_CACHED_NAMES = 1 << 16


class Pseudonyms:
    """Turn names into 16 bytes. One key for users, another for ids that may contain them.

    Args:
        secret: 32 bytes from the key store; the two keys are derived from it by purpose.

    Source: docs/decisions/0003-identity-in-the-log.md
    """

    def __init__(self, secret: bytes) -> None:
        user_key = key128("user", secret) + key128("user.", secret)
        name_key = key128("name", secret) + key128("name.", secret)

        @lru_cache(maxsize=_CACHED_NAMES)
        def user(user_id: str) -> bytes:
            return key128(user_id, user_key)

        @lru_cache(maxsize=_CACHED_NAMES)
        def session(session_id: str) -> int:
            return int.from_bytes(key128(session_id, name_key)[:8], "little") or 1

        self.user: Callable[[str], bytes] = user
        self.session: Callable[[str], int] = session
        self._name_key = name_key

    def event(self, event_id: str) -> bytes:
        """Return the 16 bytes by which an event is recognised when it is sent again."""
        return key128(event_id, self._name_key)
