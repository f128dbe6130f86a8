"""The route of bulk feeds."""

from starlette.requests import Request
from starlette.responses import Response

from playbill.contracts import FeedsRequest
from playbill.serving.board import BoardRow
from playbill.serving.bulk_feeds import BulkFeeds
from playbill.serving.http.replies import reply
from playbill.serving.http.requests import decode, read_body


class Bulk:
    """``POST /v1/feeds``."""

    def __init__(self, feeds: BulkFeeds, board: BoardRow, max_body_bytes: int) -> None:
        self._feeds = feeds
        self._board = board
        self._max_body_bytes = max_body_bytes

    async def feeds(self, request: Request) -> Response:
        """Return a feed or a problem for each entry."""
        body = await read_body(request, self._max_body_bytes)
        found = await self._feeds.answer(decode(body, FeedsRequest))
        self._board.add("gave_way", found.left_out)
        response = reply(found)
        response.headers["cache-control"] = "no-store"
        return response
