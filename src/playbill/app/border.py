"""The outermost border: here, and only here, a bug of ours is caught, and a feed still comes."""

import logging
from collections.abc import Callable

from playbill.contracts import TIER_CODES, FeedReply, FeedRequest
from playbill.core import Clock, InvalidInput, PlaybillError
from playbill.serving import BoardRow, FeedService

_log = logging.getLogger("playbill")


def guarded(
    service: FeedService, board: BoardRow, clock: Clock
) -> Callable[[FeedRequest], FeedReply]:
    """Return a way to answer that fails only on bad input.

    Whatever else goes wrong is counted, logged with its place in the code and nothing of the
    request, and answered by a lower tier.
    """

    def answer(message: FeedRequest) -> FeedReply:
        started_s = clock.elapsed_s()
        reply = unbroken(message)
        board.feed(TIER_CODES[reply.tier], (clock.elapsed_s() - started_s) * 1000.0)
        return reply

    def unbroken(message: FeedRequest) -> FeedReply:
        try:
            return service.feed(message)
        except InvalidInput:
            raise
        except Exception as error:
            board.add("errors")
            code = error.code if isinstance(error, PlaybillError) else type(error).__name__
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
            _log.error("a feed broke: %s at %s", code, where)
            return service.last_resort(message, "internal_error")

    return answer
