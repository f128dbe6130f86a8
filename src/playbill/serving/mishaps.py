"""What broke, as one line of the log: its kind and its place, and nothing of what was asked."""

import logging

from playbill.core import PlaybillError

_log = logging.getLogger("playbill")


def log_mishap(what: str, error: BaseException) -> None:
    """Log that something of ours broke.

    The error's own text is left out: it may hold what a client sent.

    Args:
        what: what was being done, in words of ours.
    """
    code = error.code if isinstance(error, PlaybillError) else type(error).__name__
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    _log.error("%s broke: %s at %s", what, code, where)
