"""Tokens: what clients carry for us, readable and makeable by this home only."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class Tokens:
    """AES-SIV: encrypted, and authentic for one context. The same text gives the same token.

    It needs no nonce, so nothing breaks however many tokens are made with one key; whoever holds a
    token learns nothing from it but that two are equal. The tag is compared in constant time.

    Args:
        secret: 32 bytes.

    Source: RFC 5297
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(secret)

    def seal(self, text: bytes, context: bytes) -> bytes:
        """Return a token of a text that is not empty, 16 bytes longer; it opens in its context."""
        return self._cipher.encrypt(text, [context])

    def open(self, token: bytes, context: bytes) -> bytes | None:
        """Return the text; None for what was not sealed here, or not in this context."""
        try:
            return self._cipher.decrypt(token, [context])
        except (InvalidTag, ValueError):
            return None
