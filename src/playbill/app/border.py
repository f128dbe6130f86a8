"""The outermost border: here, and only here, a bug of ours is caught, and a feed still comes."""

from collections.abc import Callable
from dataclasses import dataclass

from playbill.contracts import TIER_CODES, FeedReply, FeedRequest
from playbill.core import Clock, InvalidInput, Overloaded
from playbill.serving import BoardRow, FeedService, log_mishap
from playbill.serving.pressure import Pressure

_REASON = "internal_error"


@dataclass(frozen=True, slots=True)
class Border:
    """A way to answer that fails only on bad input, and on a prefetch that gives way.

    Whatever else goes wrong is counted, logged with its place in the code and nothing of the
    request, and answered by a lower tier; by the safe list where that breaks too.

    ``afford`` is called when what is affordable may have changed in the middle of a turn.
    """

    service: FeedService
    board: BoardRow
    pressure: Pressure
    clock: Clock
    afford: Callable[[], None]

    def answer(self, message: FeedRequest) -> FeedReply:
        """Return a feed that counts as shown now.

        Raises:
            InvalidInput: as ``FeedService.feed``.
            Overloaded: as ``FeedService.feed``.
        """
        return self.offer(message, recorded=True)

    def offer(self, message: FeedRequest, *, recorded: bool) -> FeedReply:
        """Return a feed that counts as shown now, or one to be shown later.

        Raises:
            InvalidInput: as ``FeedService.feed``.
            Overloaded: as ``FeedService.feed``.
        """
        started_s = self.clock.elapsed_s()
        if self.pressure.late(started_s):
            self.afford()
        try:
            reply = self._unbroken(message, recorded)
        except Overloaded:
            self.board.add("gave_way")
            self.pressure.answered(message.priority, 0.0)
            raise
        ms = (self.clock.elapsed_s() - started_s) * 1000.0
        self.pressure.answered(message.priority, ms)
        self.board.feed(TIER_CODES[reply.tier], ms)
        return reply

    def _unbroken(self, message: FeedRequest, recorded: bool) -> FeedReply:
        try:
            return self.service.feed(message, recorded=recorded)
        except (InvalidInput, Overloaded):
            raise
        except Exception as error:
            self.board.add("errors")
            log_mishap("a feed", error)
        try:
            return self.service.last_resort(message, _REASON, recorded=recorded)
        except Exception as error:
            self.board.add("errors")
            log_mishap("the last resort of a feed", error)
        return self.service.static(message, [_REASON])
