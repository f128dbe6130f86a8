"""The outermost border: here, and only here, a bug of ours is caught, and a feed still comes."""

from collections.abc import Callable

from playbill.contracts import TIER_CODES, FeedReply, FeedRequest
from playbill.core import Clock, InvalidInput
from playbill.serving import BoardRow, FeedService, log_mishap

_REASON = "internal_error"


def guarded(
    service: FeedService, board: BoardRow, clock: Clock
) -> Callable[[FeedRequest], FeedReply]:
    """Return a way to answer that fails only on bad input.

    Whatever else goes wrong is counted, logged with its place in the code and nothing of the
    request, and answered by a lower tier; by the safe list where that breaks too.
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
            log_mishap("a feed", error)
        try:
            return service.last_resort(message, _REASON)
        except Exception as error:
            board.add("errors")
            log_mishap("the last resort of a feed", error)
        return service.static(message, [_REASON])

    return answer
