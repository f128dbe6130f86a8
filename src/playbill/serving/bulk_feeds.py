"""Feeds of many viewers in one request, made in the gaps between those that people wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from playbill.contracts import (
    FeedOutcome,
    FeedReply,
    FeedRequest,
    FeedsReply,
    FeedsRequest,
    Priority,
    Problem,
    ServingSettings,
)
from playbill.core import Clock, InvalidInput, Overloaded, PlaybillError
from playbill.events.decoding import problem_of
from playbill.serving.feed_service import ServingState

_SHARED = ("size", "surface", "region", "exclude", "personalised")
_MOST_AT_ONCE = 4
_PAUSE_S = 0.05
_GAVE_WAY = "requests that people wait for were waiting; this entry was not begun"
_OUT_OF_TIME = "the time for one request was over before this entry was begun"


class Offer(Protocol):
    """Answer one request, whatever happens inside."""

    def __call__(self, message: FeedRequest, *, recorded: bool) -> FeedReply:
        """Return a feed; raises for bad input only, while prefetches are affordable."""
        ...


class BulkFeeds:
    """Answer entry after entry, one in each turn of the loop, whoever sent it.

    Between two entries everything that has arrived meanwhile gets its turn, so a request of a
    person waits for one entry at most. Under pressure nothing is begun until it is over.

    Args:
        offer: answers one entry.
        state: says what is affordable.
        clock: measures the time that is left.
        settings: ``bulk_budget_s`` and ``cool_down_s``.
        pause: waits for a while, in seconds.
    """

    def __init__(
        self,
        offer: Offer,
        state: ServingState,
        clock: Clock,
        settings: ServingSettings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._offer = offer
        self._state = state
        self._clock = clock
        self._budget_s = float(settings.bulk_budget_s)
        self._retry_after_s = settings.cool_down_s
        self._pause = pause
        self._turn = asyncio.Lock()
        self._under_way = 0

    async def answer(self, message: FeedsRequest) -> FeedsReply:
        """Return one outcome for each entry, in order; a bad entry harms no other.

        Raises:
            Overloaded: as many bulk requests as may be are under way, or not one entry could be
                begun in time.
        """
        if self._under_way >= _MOST_AT_ONCE:
            raise Overloaded(
                f"{_MOST_AT_ONCE} bulk requests are under way in this process",
                retry_after_s=self._retry_after_s,
                hint="send them one after the other",
            )
        self._under_way += 1
        try:
            return await self._answered(message)
        finally:
            self._under_way -= 1

    async def _answered(self, message: FeedsRequest) -> FeedsReply:
        until_s = self._clock.elapsed_s() + self._budget_s
        shared = {name: getattr(message, name) for name in _SHARED}
        outcomes: list[FeedOutcome] = []
        left_out = 0
        for place, entry in enumerate(message.feeds):
            try:
                request = _request_of(entry, shared)
                reply = await self._one(request, until_s, recorded=message.record)
                outcomes.append(FeedOutcome(user_id=request.user_id, feed=reply))
            except (InvalidInput, Overloaded) as error:
                left_out += isinstance(error, Overloaded)
                outcomes.append(FeedOutcome(user_id=_named(entry), problem=_told(error, place)))
        if left_out == len(outcomes):
            raise Overloaded(
                f"none of {left_out} entries could be begun within {self._budget_s:.0f} s",
                code="gave_way",
                retry_after_s=self._retry_after_s,
                hint="come back after Retry-After seconds",
            )
        answered = sum(outcome.feed is not None for outcome in outcomes)
        return FeedsReply(feeds=outcomes, answered=answered, left_out=left_out)

    async def _one(self, request: FeedRequest, until_s: float, *, recorded: bool) -> FeedReply:
        """Return one feed, after everything else that waits has had its turn.

        Raises:
            InvalidInput: as ``FeedService.feed``.
            Overloaded: the time is over.
        """
        async with self._turn:
            await self._pause(0.0)
            while self._state.prefetch is None and self._clock.elapsed_s() < until_s:
                await self._pause(_PAUSE_S)
            if self._state.prefetch is None:
                raise self._left_out(_GAVE_WAY, "gave_way")
            if self._clock.elapsed_s() >= until_s:
                raise self._left_out(_OUT_OF_TIME, "out_of_time")
            return self._offer(request, recorded=recorded)

    def _left_out(self, message: str, code: str) -> Overloaded:
        return Overloaded(
            message, code=code, retry_after_s=self._retry_after_s, hint="send it again later"
        )


def _request_of(entry: Any, shared: dict[str, Any]) -> FeedRequest:
    """Return the request of one entry; it is a prefetch, whatever it says.

    Raises:
        InvalidInput: it is neither a user_id nor an object that fits.
    """
    own = {"user_id": entry} if isinstance(entry, str) else entry
    if not isinstance(own, dict):
        raise InvalidInput(
            "an entry is neither text nor an object",
            hint="send a user_id, or an object as POST /v1/feed takes it",
        )
    try:
        request = msgspec.convert({**shared, **own}, FeedRequest)
    except msgspec.ValidationError as error:
        message, field = problem_of(error)
        raise InvalidInput(message, field=field, hint="see /openapi.json") from None
    return msgspec.structs.replace(request, priority=Priority.PREFETCH)


def _named(entry: Any) -> str | None:
    """Return whose feed an entry asks for, None where it does not say."""
    name = entry.get("user_id") if isinstance(entry, dict) else entry
    return name if isinstance(name, str) else None


def _told(error: PlaybillError, place: int) -> Problem:
    at = f"feeds[{place}]"
    return Problem(
        code=error.code,
        message=error.message,
        hint=error.hint,
        field=f"{at}.{error.field}" if error.field else at,
    )
