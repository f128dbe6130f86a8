"""What every request passes: how large its head is, how slow its body, how many wait at once.

Bytes that are no HTTP never come here: the server below answers them itself, without a body.
"""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playbill.contracts import HttpSettings
from playbill.core import PlaybillError
from playbill.serving.board import BoardRow
from playbill.serving.http.refusals import BodyTooSlow, HeadTooLarge, TooBusy
from playbill.serving.http.replies import SERVER, problem_reply

_AT_ONCE = frozenset(("GET", "HEAD", "OPTIONS"))
_CLOSE = (b"connection", b"close")
_RETRY_S = 1


class Gate:
    """An ASGI application in front of another.

    A request that waits for nothing is not counted: it is answered before the next one is looked
    at. ``draining`` closes every connection after its reply.
    """

    def __init__(self, app: ASGIApp, settings: HttpSettings, board: BoardRow) -> None:
        self._app = app
        self._board = board
        self._max_head_bytes = settings.max_head_bytes
        self._max_headers = settings.max_headers
        self._max_under_way = settings.max_under_way
        self._body_s = settings.body_s
        self.under_way = 0
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        def sending(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                headers.append(SERVER)
                if self.draining:
                    headers.append(_CLOSE)
            return send(message)

        at_once = scope["method"] in _AT_ONCE
        refusal = self._too_large(scope) or (None if at_once else self._too_many())
        if refusal is not None:
            self._board.refuse(refusal.code)
            await problem_reply(refusal)(scope, receive, sending)
        elif at_once:
            await self._app(scope, receive, sending)
        else:
            self.under_way += 1
            try:
                await self._app(scope, _Punctual(receive, self._body_s), sending)
            finally:
                self.under_way -= 1

    def _too_large(self, scope: Scope) -> PlaybillError | None:
        headers = scope["headers"]
        if len(headers) > self._max_headers:
            return HeadTooLarge(
                f"the request has {len(headers)} headers; at most {self._max_headers} are taken",
                hint="send fewer headers",
            )
        size = len(scope["raw_path"]) + len(scope["query_string"])
        for name, value in headers:
            size += len(name) + len(value)
        if size <= self._max_head_bytes:
            return None
        return HeadTooLarge(
            f"the request line and headers have {size:,} bytes; "
            f"at most {self._max_head_bytes:,} are taken",
            hint="send what is long in the body",
        )

    def _too_many(self) -> PlaybillError | None:
        if self.under_way < self._max_under_way:
            return None
        return TooBusy(
            f"this process holds {self._max_under_way:,} requests at a time",
            retry_after_s=_RETRY_S,
            hint="send fewer at once; http.max_under_way is the bound",
        )


class _Punctual:
    """What a client sends, until the body is whole or too late."""

    def __init__(self, receive: Receive, within_s: float) -> None:
        self._receive = receive
        self._within_s = within_s
        self._due_s = asyncio.get_running_loop().time() + within_s
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._due_s):
                message = await self._receive()
        except TimeoutError as error:
            raise BodyTooSlow(
                f"the body was not whole within {self._within_s:g} s",
                hint="send it faster, or in smaller batches",
            ) from error
        self._whole = not message.get("more_body", False)
        return message
