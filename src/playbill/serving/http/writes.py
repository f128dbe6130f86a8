"""Routes that take facts in. A success means durable."""

import asyncio
from concurrent.futures import Future

from starlette.requests import Request
from starlette.responses import Response

from playbill.contracts import (
    MAX_VIDEOS_PER_BATCH,
    User,
    UsersReply,
    Video,
    VideosReply,
)
from playbill.core import InvalidInput
from playbill.events import Collector
from playbill.serving.board import BoardRow
from playbill.serving.catalogue_guard import CatalogueGuard
from playbill.serving.http.replies import reply
from playbill.serving.http.requests import decode_one_or_many, read_body


class Writes:
    """``POST /v1/events``, ``/v1/videos``, ``/v1/users`` and ``DELETE /v1/videos/{id}``."""

    def __init__(
        self, collector: Collector, guard: CatalogueGuard, board: BoardRow, max_body_bytes: int
    ) -> None:
        self._collector = collector
        self._guard = guard
        self._board = board
        self._max_body_bytes = max_body_bytes

    async def events(self, request: Request) -> Response:
        """Take a batch of events; each is accepted, a duplicate, or rejected with a reason."""
        body = await read_body(request, self._max_body_bytes)
        result, durable = self._collector.take_events(body)
        await _all(durable)
        self._board.add("events", result.accepted)
        self._board.add("duplicates", result.duplicates)
        self._board.add("rejected", len(result.rejected))
        return reply(result, 202)

    async def videos(self, request: Request) -> Response:
        """Take one video or a list; all or none."""
        body = await read_body(request, self._max_body_bytes)
        videos = decode_one_or_many(body, Video, MAX_VIDEOS_PER_BATCH)
        if videos:
            self._guard.check(videos)
            await _all([self._collector.take_videos(videos)])
        return reply(VideosReply(accepted=len(videos)), 202)

    async def take_down(self, request: Request) -> Response:
        """Take a video out of every feed with the next epoch; an unknown id changes nothing."""
        video_id = request.path_params["video_id"]
        if not 1 <= len(video_id) <= 128:
            raise InvalidInput("video_id has no or more than 128 characters", field="video_id")
        await _all([self._collector.take_down(video_id)])
        return reply(VideosReply(accepted=1), 202)

    async def users(self, request: Request) -> Response:
        """Take one viewer's facts or a list; all or none."""
        body = await read_body(request, self._max_body_bytes)
        users = decode_one_or_many(body, User, MAX_VIDEOS_PER_BATCH)
        if users:
            await _all([self._collector.take_users(users)])
        return reply(UsersReply(accepted=len(users)), 202)


async def _all(durable: list["Future[int]"]) -> None:
    for future in durable:
        await asyncio.wrap_future(future)
