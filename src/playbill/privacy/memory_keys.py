"""The fake of ``KeyStore``: secrets that last as long as the process."""

from playbill.core import key128


class MemoryKeyStore:
    """Derive each purpose's secret from a seed, so that tests repeat."""

    def __init__(self, seed: bytes = b"not a secret") -> None:
        self._seed = seed
        self._made: set[str] = set()

    def secret(self, purpose: str) -> bytes:
        """Return the 32 bytes of a purpose."""
        self._made.add(purpose)
        return key128(purpose, self._seed) + key128(purpose + ".", self._seed)

    def stored(self, purpose: str) -> bytes | None:
        """Return the bytes of a purpose, None where nobody asked for them yet."""
        return self.secret(purpose) if purpose in self._made else None
