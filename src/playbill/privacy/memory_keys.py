"""The fake of ``KeyStore``: secrets that last as long as the process."""

from playbill.core import key128


class MemoryKeyStore:
    """Derive each purpose's secret from a seed, so that tests repeat."""

    def __init__(self, seed: bytes = b"not a secret") -> None:
        self._seed = seed

    def secret(self, purpose: str) -> bytes:
        """Return the 32 bytes of a purpose."""
        return key128(purpose, self._seed) + key128(purpose + ".", self._seed)
