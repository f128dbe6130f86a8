"""The HTTP face: a short path for feeds, a small framework for the rest."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from playbill.contracts import FeedReply, FeedRequest
from playbill.core import BrokenContract, InvalidInput, NotFound, PlaybillError
from playbill.serving.board import BoardRow
from playbill.serving.http.bulk import Bulk
from playbill.serving.http.health import Health
from playbill.serving.http.keys import ApiKeys
from playbill.serving.http.openapi import openapi_document
from playbill.serving.http.reads import Reads
from playbill.serving.http.replies import encode, problem_reply, reply
from playbill.serving.http.requests import decode, feed_request_of_query, read_body
from playbill.serving.http.writes import Writes
from playbill.serving.mishaps import log_mishap

Handler = Callable[[Request], Awaitable[Response]]
Answer = Callable[[FeedRequest], FeedReply]

_FEED_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Api:
    """An ASGI application.

    Args:
        answer: turns a feed request into a reply, whatever happens inside.
        writes: None for a process that takes no writes.
        reads: None for a process that serves no feeds.
        bulk: None for a process that serves no feeds.
        pages: further routes, such as the console's.
    """

    def __init__(
        self,
        *,
        answer: Answer | None,
        writes: Writes | None,
        reads: Reads | None,
        health: Health,
        keys: ApiKeys,
        board: BoardRow,
        max_body_bytes: int,
        bulk: Bulk | None = None,
        pages: Sequence[BaseRoute] = (),
    ) -> None:
        self._answer = answer
        self._keys = keys
        self._board = board
        self._max_body_bytes = max_body_bytes
        self._feeds = ServerErrorMiddleware(self._feed, handler=self._broke)
        self._framework = Starlette(
            routes=[*self._routes(writes, reads, health), *self._bulk(bulk), *pages],
            exception_handlers={
                BrokenContract: self._broke,
                PlaybillError: self._refuse,
                HTTPException: self._unrouted,
                Exception: self._broke,
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._framework(scope, receive, send)
        elif scope["path"] == "/v1/feed" and self._answer is not None:
            await self._feeds(scope, receive, send)
        else:
            await self._framework(scope, receive, send)

    async def _feed(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._answer is not None
        try:
            self._keys.check(_authorisation(scope), "feed")
            if scope["method"] == "GET":
                message = feed_request_of_query(scope["query_string"])
            elif scope["method"] == "POST":
                body = await read_body(Request(scope, receive), self._max_body_bytes)
                message = decode(body, FeedRequest)
            else:
                raise _method_not_allowed()
            found = self._answer(message)
        except BrokenContract:
            raise
        except PlaybillError as error:
            self._board.add("refused")
            await problem_reply(error)(scope, receive, send)
            return
        body = encode(found)
        headers = [*_FEED_HEADERS, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _routes(
        self, writes: Writes | None, reads: Reads | None, health: Health
    ) -> list[BaseRoute]:
        routes: list[BaseRoute] = [
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/metrics", self._guarded("metrics", health.metrics)),
            Route("/openapi.json", self._openapi),
        ]
        if reads is not None:
            routes += [
                Route(
                    "/v1/feed/preview", self._guarded("control", reads.preview), methods=["POST"]
                ),
                Route("/v1/trending", self._guarded("feed", reads.trending)),
                Route("/v1/status", self._guarded("metrics", reads.status)),
                Route("/v1/videos/{video_id}/similar", self._guarded("feed", reads.similar)),
                Route("/v1/videos/{video_id}", self._guarded("catalogue", reads.video)),
            ]
        if writes is not None:
            routes += [
                Route("/v1/events", self._guarded("events", writes.events), methods=["POST"]),
                Route("/v1/videos", self._guarded("catalogue", writes.videos), methods=["POST"]),
                Route("/v1/users", self._guarded("catalogue", writes.users), methods=["POST"]),
                Route(
                    "/v1/videos/{video_id}",
                    self._guarded("catalogue", writes.take_down),
                    methods=["DELETE"],
                ),
            ]
        return routes

    def _bulk(self, bulk: Bulk | None) -> list[BaseRoute]:
        if bulk is None:
            return []
        return [Route("/v1/feeds", self._guarded("feed", bulk.feeds), methods=["POST"])]

    def _guarded(self, scope: str, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            self._keys.check(request.headers.get("authorization"), scope)
            return await handler(request)

        return guarded

    async def _openapi(self, request: Request) -> Response:
        return reply(openapi_document())

    async def _refuse(self, request: Request, error: Exception) -> Response:
        self._board.add("refused")
        assert isinstance(error, PlaybillError)
        return problem_reply(error)

    async def _unrouted(self, request: Request, error: Exception) -> Response:
        self._board.add("refused")
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            return problem_reply(_method_not_allowed())
        if error.status_code == 404:
            return problem_reply(NotFound("there is no such route", hint="see /openapi.json"))
        return problem_reply(InvalidInput(str(error.detail)))

    async def _broke(self, request: Request, error: Exception) -> Response:
        """Count and log a bug of ours, whichever route it broke."""
        self._board.add("errors")
        log_mishap("a request", error)
        return problem_reply(BrokenContract(""))


def _authorisation(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return None


def _method_not_allowed() -> InvalidInput:
    return InvalidInput(
        "this route does not take that method",
        code="method_not_allowed",
        hint="see /openapi.json",
    )
