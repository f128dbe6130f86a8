"""API keys: constant-time comparison, scopes by route."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from playbill.core import PlaybillError


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

    def check(self, authorisation: str | None, scope: str) -> None:
        """Return if the request may pass.

        Raises:
            Unauthorised: no key, or an unknown one.
            Forbidden: a known key without the scope.
        """
        if not self._keys:
            return
        kind, _, key = (authorisation or "").partition(" ")
        sent = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()
        scopes: frozenset[str] | None = None
        for digest, granted in self._keys:
            if hmac.compare_digest(sent, digest) and kind.lower() == "bearer":
                scopes = granted
        if scopes is None:
            raise Unauthorised(
                "the request carries no valid key",
                hint="send the header authorization: Bearer KEY",
            )
        if scope not in scopes:
            raise Forbidden(f"the key lacks the scope {scope!r}", hint="use a key that has it")
