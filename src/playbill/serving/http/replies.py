"""JSON replies, and the one shape of problems."""

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

JSON = "application/json"
encode = msgspec.json.Encoder().encode


def reply(value: Any, status: int = 200) -> Response:
    """Return a JSON reply."""
    return Response(encode(value), status, media_type=JSON)


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
    if isinstance(error, Overloaded):
        response.headers["retry-after"] = str(error.retry_after_s)
    elif status == 503:
        response.headers["retry-after"] = "1"
    return response
