"""Keyed pseudonyms: the same name gives the same bytes, and nobody without the key can go back."""

from collections.abc import Callable
from functools import lru_cache

from playbill.core import key128
from playbill.privacy.tokens import Tokens

_CACHED_NAMES = 1 << 16


class Pseudonyms:
    """Turn names into 16 bytes: one key for users, one for events, one for sessions.

    ``tokens`` are made with a fourth.

    Args:
        secret: 32 bytes from the key store; the keys are derived from it by purpose.

    Source: docs/decisions/0003-identity-in-the-log.md
    """

    def __init__(self, secret: bytes) -> None:
        user_key = _derived("user", secret)
        session_key = _derived("session", secret)

        @lru_cache(maxsize=_CACHED_NAMES)
        def user(user_id: str) -> bytes:
            return key128(user_id, user_key)

        @lru_cache(maxsize=_CACHED_NAMES)
        def session(session_id: str) -> int:
            return int.from_bytes(key128(session_id, session_key)[:8], "little") or 1

        self.user: Callable[[str], bytes] = user
        self.session: Callable[[str], int] = session
        self.tokens = Tokens(_derived("token", secret))
        self._event_key = _derived("name", secret)

    def event(self, event_id: str) -> bytes:
        """Return the 16 bytes by which an event is recognised when it is sent again."""
        return key128(event_id, self._event_key)


def _derived(purpose: str, secret: bytes) -> bytes:
    """Return the 32 bytes of one purpose."""
    return key128(purpose, secret) + key128(f"{purpose}.", secret)
