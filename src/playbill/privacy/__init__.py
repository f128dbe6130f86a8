"""Identity and secrecy: pseudonyms, the field policy, sealing, and where keys come from."""

from playbill.privacy.field_policy import EVENT_FIELDS, Handling
from playbill.privacy.memory_keys import MemoryKeyStore
from playbill.privacy.pseudonyms import Pseudonyms
from playbill.privacy.sealing import Sealer
from playbill.privacy.tokens import Tokens

__all__ = ["EVENT_FIELDS", "Handling", "MemoryKeyStore", "Pseudonyms", "Sealer", "Tokens"]
