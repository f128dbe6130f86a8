"""Refusals that HTTP itself asks for, each with what its reply must say besides the problem."""

from collections.abc import Sequence

from playbill.core import DependencyUnavailable, InvalidInput, Overloaded

Header = tuple[bytes, bytes]


class HeadTooLarge(InvalidInput):
    """More request line and headers than are taken; HTTP 431, and the connection is closed."""

    default_code = "head_too_large"


class BodyTooSlow(InvalidInput):
    """The body was not whole in time; HTTP 408, and the connection is closed."""

    default_code = "body_too_slow"


class TooBusy(Overloaded):
    """This process holds as many requests as it may; HTTP 503 with ``Retry-After``."""

    default_code = "too_busy"


class RateLimited(Overloaded):
    """A caller asks faster than its rate; HTTP 429 with ``Retry-After``.

    Args:
        headers: what tells the caller its rate, and what is left of it.
    """

    default_code = "rate_limited"

    def __init__(
        self, message: str, *, retry_after_s: int, hint: str, headers: Sequence[Header]
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s, hint=hint)
        self.headers = tuple(headers)


class Draining(DependencyUnavailable):
    """This server was told to stop; HTTP 503."""

    default_code = "draining"


class MethodNotAllowed(InvalidInput):
    """The route exists, with other methods; HTTP 405 with ``Allow``.

    Args:
        allowed: the methods that it takes.
    """

    default_code = "method_not_allowed"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        self.allow = ", ".join(allowed)
        super().__init__(
            f"this route does not take {method[:20]!r}; it takes {self.allow}",
            hint="see /openapi.json",
        )
