"""The HTTP face: a short path for feeds, a small framework for the rest."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from playbill.contracts import FeedReply, FeedRequest
from playbill.core import BrokenContract, InvalidInput, NotFound, PlaybillError
from playbill.serving.board import BoardRow
from playbill.serving.http.bulk import Bulk
from playbill.serving.http.health import Health
from playbill.serving.http.keys import ApiKeys
from playbill.serving.http.openapi import openapi_document
from playbill.serving.http.rates import NO_KEY, Rates
from playbill.serving.http.reads import Reads
from playbill.serving.http.refusals import Header, MethodNotAllowed
from playbill.serving.http.replies import PRIVATE_HEADERS, encode, problem_reply, reply
from playbill.serving.http.requests import decode, feed_request_of_query, read_body
from playbill.serving.http.writes import Writes
from playbill.serving.mishaps import log_mishap

Handler = Callable[[Request], Awaitable[Response]]
Answer = Callable[[FeedRequest], FeedReply]

_FEED_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_FEED_HEADERS = [
    (b"content-type", b"application/json"),
    *PRIVATE_HEADERS,
]


class Api:
    """An ASGI application.

    Args:
        answer: turns a feed request into a reply, whatever happens inside.
        writes: None for a process that takes no writes.
        reads: None for a process that serves no feeds.
        bulk: None for a process that serves no feeds.
        rates: how fast each key may ask.
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
        rates: Rates,
        board: BoardRow,
        max_body_bytes: int,
        bulk: Bulk | None = None,
        pages: Sequence[BaseRoute] = (),
    ) -> None:
        self._answer = answer
        self._keys = keys
        self._rates = rates
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
        # A redirect would name the host that the client named.
        self._framework.router.redirect_slashes = False

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
        method = scope["method"]
        try:
            told = self._admit(_authorisation(scope), "feed") if method != "OPTIONS" else []
            if method in ("GET", "HEAD"):
                message = feed_request_of_query(scope["query_string"])
            elif method == "POST":
                body = await read_body(Request(scope, receive), self._max_body_bytes)
                message = decode(body, FeedRequest)
            else:
                raise MethodNotAllowed(method, _FEED_METHODS)
            # A feed that nobody sees is not made: it would be recorded as shown.
            body = encode(self._answer(message)) if method != "HEAD" else b""
        except BrokenContract:
            raise
        except PlaybillError as error:
            await self._told_off(error, method)(scope, receive, send)
            return
        length = [] if method == "HEAD" else [(b"content-length", str(len(body)).encode())]
        headers = [*_FEED_HEADERS, *told, *length]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _admit(self, authorisation: str | None, scope: str) -> list[Header]:
        """Return what the reply says of the caller's rate, once the caller may go on."""
        caller = self._keys.caller(authorisation)
        if caller == NO_KEY:
            self._rates.take_without_key()
        self._keys.check(caller, scope)
        return self._rates.take(caller, scope)

    def _told_off(self, error: PlaybillError, method: str) -> Response:
        """Return the reply to a request that is not taken; to OPTIONS, what would be."""
        if isinstance(error, MethodNotAllowed) and method == "OPTIONS":
            return Response(status_code=204, headers={"allow": error.allow})
        self._board.refuse(error.code)
        return problem_reply(error)

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
                Route("/v1/videos/{video_id:path}/similar", self._guarded("feed", reads.similar)),
                Route("/v1/videos/{video_id:path}", self._guarded("catalogue", reads.video)),
            ]
        if writes is not None:
            routes += [
                Route("/v1/events", self._guarded("events", writes.events), methods=["POST"]),
                Route("/v1/videos", self._guarded("catalogue", writes.videos), methods=["POST"]),
                Route("/v1/users", self._guarded("catalogue", writes.users), methods=["POST"]),
                Route(
                    "/v1/videos/{video_id:path}",
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
            told = self._admit(request.headers.get("authorization"), scope)
            response = await handler(request)
            response.raw_headers.extend(told)
            return response

        return guarded

    async def _openapi(self, request: Request) -> Response:
        return reply(openapi_document())

    async def _refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, PlaybillError)
        return self._told_off(error, request.method)

    async def _unrouted(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        refusal: PlaybillError = InvalidInput(str(error.detail))
        if error.status_code == 405:
            below = (error.headers or {}).get("Allow", "").split(", ")
            refusal = MethodNotAllowed(request.method, self._methods_at(request.scope, below))
        elif error.status_code == 404:
            refusal = NotFound("there is no such route", hint="see /openapi.json")
        return self._told_off(refusal, request.method)

    def _methods_at(self, scope: Scope, below: Sequence[str]) -> list[str]:
        """Return the methods of all routes that have a path, and of those below a mounted one."""
        found = {"OPTIONS", *filter(None, below)}
        for route in self._framework.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                found |= route.methods or set()
        return sorted(found)

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
