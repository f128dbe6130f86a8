"""What ``api_keys`` in the settings must be: whole hashes, each once, and scopes that exist."""

import re
from collections.abc import Mapping, Sequence

from playbill.contracts import SCOPES
from playbill.core import InvalidInput, nearest_name

_HASH = re.compile(r"[0-9a-fA-F]{64}")
_SHOWN = 8


def check_api_keys(file: str, scopes_by_hash: Mapping[str, Sequence[str]]) -> None:
    """Return if every entry can open what it says.

    No message holds a whole hash; of what is no hash it holds nothing, since that may be a key.

    Args:
        file: the name of the settings file.

    Raises:
        InvalidInput: an entry is no SHA-256 in hex, one is there twice, or a scope is unknown.
    """
    met: dict[str, int] = {}
    for place, (digest, scopes) in enumerate(scopes_by_hash.items(), start=1):
        if not _HASH.fullmatch(digest):
            raise InvalidInput(
                f"{file}: entry {place} of api_keys has a name of {len(digest)} characters; "
                "expected the SHA-256 of a key, 64 hex digits",
                field="api_keys",
                hint="write the key's hash, never the key itself: docs/security.md says how",
            )
        shown = f"{digest[:_SHOWN]}…"
        first = met.setdefault(digest.lower(), place)
        if first != place:
            raise InvalidInput(
                f"{file}: entries {first} and {place} of api_keys are the same hash, {shown}; "
                "a hash stands there once",
                field="api_keys",
                hint="put the scopes of both into one entry",
            )
        for scope in scopes:
            if scope not in SCOPES:
                raise InvalidInput(
                    f"{file}: entry {place} of api_keys, {shown}, has the scope {scope[:60]!r}; "
                    f"scopes are {', '.join(SCOPES)}." + nearest_name(scope, SCOPES),
                    field="api_keys",
                    hint="docs/http.md says what each scope opens",
                )
