"""What every ``KeyStore`` promises. An adapter's test inherits this and says how to open one."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest

from playbill.contracts import KeyStore

PURPOSES = ("pseudonym", "dead-letters", "k", "signing-2")


class KeyStoreSuite(ABC):
    """Laws over ``reopen``: each call opens the same keys as a new process would."""

    @pytest.fixture
    @abstractmethod
    def reopen(self, tmp_path) -> Callable[[], KeyStore]: ...

    @pytest.mark.parametrize("purpose", PURPOSES)
    def test_a_purpose_has_32_bytes_that_stay(self, reopen, purpose):
        store = reopen()
        secret = store.secret(purpose)
        assert isinstance(secret, bytes)
        assert len(secret) == 32
        assert store.secret(purpose) == secret

    def test_looking_for_a_secret_makes_none(self, reopen):
        store = reopen()
        assert store.stored("pseudonym") is None
        assert store.stored("pseudonym") is None
        assert store.stored("pseudonym") != (secret := store.secret("pseudonym"))
        assert store.stored("pseudonym") == secret
        assert store.stored("dead-letters") is None

    def test_whoever_opens_the_keys_again_finds_the_same(self, reopen):
        first = {purpose: reopen().secret(purpose) for purpose in PURPOSES}
        assert {purpose: reopen().secret(purpose) for purpose in reversed(PURPOSES)} == first

    def test_purposes_share_no_secret(self, reopen):
        secrets = [reopen().secret(purpose) for purpose in PURPOSES]
        halves = {half for secret in secrets for half in (secret[:16], secret[16:])}
        assert len(halves) == 2 * len(PURPOSES)
