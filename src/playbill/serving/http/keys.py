"""API keys: constant-time comparison, scopes by route, and whose request it is."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from playbill.core import PlaybillError
from playbill.serving.http.rates import NO_KEY

ANYBODY = 0
"""The caller of every request where no keys are configured."""


class Unauthorised(PlaybillError):
    """No key, or a wrong one; HTTP 401."""

    default_code = "unauthorised"


class Forbidden(PlaybillError):
    """A key without the scope; HTTP 403."""

    default_code = "forbidden"


class ApiKeys:
    """The configured keys, by the SHA-256 of each. Without any, every route is open."""

    def __init__(self, scopes_by_hash: Mapping[str, Sequence[str]]) -> None:
        self._keys = [
            (digest.lower().encode(), frozenset(scopes))
            for digest, scopes in scopes_by_hash.items()
        ]

    def __len__(self) -> int:
        return len(self._keys)

    def caller(self, authorisation: str | None) -> int:
        """Return which key a request carries, NO_KEY for none or an unknown one."""
        if not self._keys:
            return ANYBODY
        kind, _, key = (authorisation or "").partition(" ")
        sent = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()
        found = NO_KEY
        for place, (digest, _) in enumerate(self._keys):
            if hmac.compare_digest(sent, digest) and kind.lower() == "bearer":
                found = place
        return found

    def check(self, caller: int, scope: str) -> None:
        """Return if a caller may use a scope.

        Raises:
            Unauthorised: the request carries no key, or an unknown one.
            Forbidden: a known key without the scope.
        """
        if not self._keys:
            return
        if caller == NO_KEY:
            raise Unauthorised(
                "the request carries no valid key",
                hint="send the header authorization: Bearer KEY",
            )
        if scope not in self._keys[caller][1]:
            raise Forbidden(f"the key lacks the scope {scope!r}", hint="use a key that has it")
