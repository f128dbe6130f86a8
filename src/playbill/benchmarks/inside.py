"""A worker's feed service inside this process, over a home that is served beside it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playbill.app.border import Border
from playbill.app.watcher import Watcher
from playbill.app.wiring import Wiring
from playbill.benchmarks.feed import served
from playbill.contracts import FeedReply, FeedRequest
from playbill.serving import Board, FeedService
from playbill.serving.board import PROCESSES
from playbill.serving.http.replies import encode

_PLACE = PROCESSES - 1


@dataclass(frozen=True, slots=True)
class Inside:
    """What answers, as in a worker, without HTTP."""

    service: FeedService
    wiring: Wiring
    _answer: Callable[[FeedRequest], FeedReply]

    def feed(self, message: FeedRequest) -> bytes:
        """Return the bytes of a reply, recorded."""
        return encode(self._answer(message))


@contextlib.contextmanager
def inside(folder: Path, port: int) -> Iterator[Inside]:
    """Yield the service of a prepared home; its own worker stays idle on another core."""
    with served(folder, port) as supervisor:
        wiring = supervisor.wiring
        board = Board(wiring.layout.board, create=False)
        row = board.row(_PLACE)
        with contextlib.closing(wiring.collector("bench")) as collector:
            watcher = Watcher(wiring, collector, board, row, _PLACE)
            try:
                asyncio.run(watcher.warm_up())
                border = Border(
                    watcher.service, row, watcher.pressure, wiring.clock, watcher.afford
                )
                yield Inside(watcher.service, wiring, border.answer)
                watcher.service.flush()
            finally:
                watcher.users.close()
