"""Authenticated encryption for what must be kept verbatim."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from playbill.core import DependencyUnavailable

_NONCE_BYTES = 12


class Sealer:
    """AES-256-GCM with a random nonce in front of each text.

    Args:
        secret: 32 bytes from the key store.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, text: bytes, context: bytes) -> bytes:
        """Return the sealed text; it opens only with the same key and context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return the text.

        Raises:
            DependencyUnavailable: another key or context sealed it, or it was altered.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            # ValueError: what is left of a torn text does not even hold a nonce.
            raise DependencyUnavailable(
                "a sealed text does not open; it was altered, or sealed with another key",
                hint="restore the key folder that belongs to this home",
            ) from None
