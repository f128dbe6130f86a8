"""An error of the server as a page can tell it."""

from playbill.contracts import PROBLEMS, Problem
from playbill.core import Conflict, InvalidInput, NotFound, PlaybillError

_FALLBACK_STATUS = 503


def problem_of(error: PlaybillError) -> Problem:
    """Return what was wrong and what to do, without anything of the program's inside."""
    return Problem(code=error.code, message=error.message, hint=error.hint, field=error.field)


def status_of(error: PlaybillError) -> int:
    """Return the HTTP status of an error: that of its code, else that of its kind."""
    if error.code in PROBLEMS:
        return PROBLEMS[error.code][0]
    for kind, status in ((NotFound, 404), (Conflict, 409), (InvalidInput, 400)):
        if isinstance(error, kind):
            return status
    return _FALLBACK_STATUS
