"""One HTTP call that is tried again where that is safe, and fails as a ``PlaybillError``."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError

from playbill.contracts import Problem, ProblemReply
from playbill.core import (
    Conflict,
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long a caller waits before it gives up."""

    attempts: int = 4
    """Tries of one call, the first one included."""
    pause_s: float = 0.1
    """Wait after a broken connection, doubled with every try."""
    retry_after_s: int = 1
    """Wait after a 429 that does not say how long."""
    max_pause_s: float = 5.0
    """No wait is longer, whatever the server asks for."""


class Transport:
    """Calls to one base URL over kept-alive connections; any number of threads may share it.

    A 429 and a broken connection are tried again: every write is idempotent by id. A time-out
    is not, because a server that is late is not helped by more work.

    Args:
        url: base, for example ``http://127.0.0.1:8700``.
        api_key: sent as a bearer token.
        connections: kept open; one a thread.
        timeout_s: for connecting and for each wait on the socket.
        retry: when to try again.
        pause: waits so many seconds; without it the thread sleeps.

    Raises:
        InvalidInput: the URL is not ``http`` or ``https``, or names no host.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None,
        connections: int,
        timeout_s: float,
        retry: RetryPolicy,
        pause: Callable[[float], object] | None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f"{url!r} is no base URL; it looks like 'http://127.0.0.1:8700'", field="url"
            )
        self._url = url
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._retry = retry
        self._pause = pause or threading.Event().wait
        self._pool = urllib3.connection_from_url(
            url, maxsize=connections, timeout=timeout_s, retries=False
        )

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return the body of a success, after as many tries as the policy has.

        Raises:
            InvalidInput: the server refused the request (4xx); the message is the server's.
            Overloaded: it answered 429 to every try.
            DependencyUnavailable: it is gone, late or failing.
        """
        for attempt in range(1, self._retry.attempts + 1):
            last = attempt == self._retry.attempts
            try:
                reply = self._send(method, path, body)
            except (ProtocolError, NewConnectionError) as error:
                if last:
                    raise self._unreachable(error) from error
                wait_s = self._retry.pause_s * 2 ** (attempt - 1)
            except HTTPError as error:
                raise self._unreachable(error) from error
            else:
                if 200 <= reply.status < 300:
                    return reply.data
                if reply.status != 429 or last:
                    raise refusal(reply.status, reply.data, self._retry_after_s(reply))
                wait_s = self._retry_after_s(reply)
            self._pause(min(wait_s, self._retry.max_pause_s))
        raise InvalidInput("RetryPolicy.attempts is below 1; a call needs one try at least")

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()

    def _send(self, method: str, path: str, body: bytes | None) -> urllib3.BaseHTTPResponse:
        headers = self._headers
        if body is not None:
            headers = headers | {"Content-Type": "application/json"}
        return self._pool.urlopen(
            method, self._prefix + path, body=body, headers=headers, redirect=False
        )

    def _retry_after_s(self, reply: urllib3.BaseHTTPResponse) -> int:
        """Return what ``Retry-After`` asks for, in seconds; our servers never send a date."""
        asked = reply.headers.get("Retry-After", "")
        return int(asked) if asked.isascii() and asked.isdigit() else self._retry.retry_after_s

    def _unreachable(self, error: HTTPError) -> DependencyUnavailable:
        return DependencyUnavailable(
            f"{self._url} gave no answer: {error}",
            code="unreachable",
            hint="check that the server runs and that the URL and the port are its own",
        )


def refusal(status: int, body: bytes, retry_after_s: int) -> PlaybillError:
    """Return the error that stands for a reply which is no success."""
    try:
        problem = msgspec.json.decode(body, type=ProblemReply).error
    except msgspec.MsgspecError:
        problem = Problem(
            code=f"http_{status}",
            message=f"the server answered {status} without the API's error shape",
            hint="something else than Playbill may listen there",
        )
    if status == 429:
        return Overloaded(problem.message, retry_after_s=retry_after_s, hint=problem.hint)
    kind = {404: NotFound, 409: Conflict}.get(status, InvalidInput)
    if not 400 <= status < 500:
        return DependencyUnavailable(
            problem.message, code=problem.code, hint=problem.hint, field=problem.field
        )
    return kind(problem.message, code=problem.code, hint=problem.hint, field=problem.field)
