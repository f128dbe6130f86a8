"""The kinds of failure. Each message says what was wrong, what was expected and what to do."""

import difflib
from collections.abc import Iterable


class PlaybillError(Exception):
    """The base of every error that Playbill raises on purpose.

    Args:
        message: what was wrong and what was expected.
        code: stable name for programs, ``snake_case``; each code is documented.
        hint: what to do about it.
        field: path of the offending field in the caller's input, when there is one.
    """

    default_code = "internal_error"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", field: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.field = field


class InvalidInput(PlaybillError):
    """The caller's mistake; HTTP 400."""

    default_code = "invalid_input"


class NotFound(InvalidInput):
    """The caller named something that is not there; HTTP 404."""

    default_code = "not_found"


class Conflict(InvalidInput):
    """The caller's request contradicts what is already recorded; HTTP 409."""

    default_code = "conflict"


class DependencyUnavailable(PlaybillError):
    """Something we lean on is gone; there is a declared fallback, and it is counted; HTTP 503."""

    default_code = "dependency_unavailable"


class Overloaded(DependencyUnavailable):
    """A bounded queue is full; HTTP 429 with ``Retry-After``, 503 where a code says so.

    Args:
        retry_after_s: when the caller should come back, in seconds.
    """

    default_code = "overloaded"

    def __init__(
        self, message: str, *, retry_after_s: int, code: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.retry_after_s = retry_after_s


class BrokenContract(PlaybillError):
    """Our own bug; never caught below the outermost border, never replaced by a default."""

    default_code = "internal_error"


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
