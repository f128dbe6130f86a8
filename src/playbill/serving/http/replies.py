"""JSON replies, and the one shape of problems."""

from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.responses import Response

from playbill.contracts import PROBLEMS, Problem, ProblemReply
from playbill.core import (
    Conflict,
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
)
from playbill.serving.http.refusals import MethodNotAllowed, RateLimited

JSON = "application/json"
SERVER = (b"server", b"playbill")
"""On every reply, in place of the name that the server below would write there."""
KEPT_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Replies are of one caller and one moment, and are what their content-type says."""
PRIVATE_HEADERS = tuple((name.encode(), value.encode()) for name, value in KEPT_PRIVATE.items())
"""The same, as they are sent."""
_CLOSING = frozenset(("body_too_slow", "body_too_large", "head_too_large"))
"""Refusals that leave something unread on the connection."""
encode = msgspec.json.Encoder().encode


def reply(value: Any, status: int = 200) -> Response:
    """Return a JSON reply."""
    response = Response(encode(value), status, media_type=JSON)
    response.raw_headers.extend(PRIVATE_HEADERS)
    return response


def status_of(error: PlaybillError) -> int:
    """Return the HTTP status of an error, by its code where that is listed, else by its kind."""
    if error.code in PROBLEMS:
        return PROBLEMS[error.code][0]
    for kind, status in (
        (NotFound, 404),
        (Conflict, 409),
        (InvalidInput, 400),
        (Overloaded, 429),
        (DependencyUnavailable, 503),
    ):
        if isinstance(error, kind):
            return status
    return 500


def problem_reply(error: PlaybillError) -> Response:
    """Return an error as a reply; our own bugs say nothing of their insides."""
    status = status_of(error)
    code, message = error.code, error.message
    if status == 500:
        code, message = "internal_error", "something broke here; it was counted and logged"
    problem = Problem(code=code, message=message, hint=error.hint, field=error.field)
    response = reply(ProblemReply(error=problem), status)
    for name, value in _headers_of(error, status):
        response.headers[name] = value
    return response


def _headers_of(error: PlaybillError, status: int) -> Iterator[tuple[str, str]]:
    if isinstance(error, Overloaded):
        yield "retry-after", str(error.retry_after_s)
    elif status == 503:
        yield "retry-after", "1"
    elif status == 401:
        yield "www-authenticate", "Bearer"
    if isinstance(error, RateLimited):
        yield from ((name.decode(), value.decode()) for name, value in error.headers)
    if isinstance(error, MethodNotAllowed):
        yield "allow", error.allow
    if error.code in _CLOSING:
        yield "connection", "close"
