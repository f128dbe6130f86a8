"""A thin client of the HTTP API, for the world and for whoever needs one in Python."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from playbill.contracts import (
    Event,
    EventsReply,
    FeedReply,
    Fields,
    Status,
    UsersReply,
    VideosReply,
)
from playbill.core import DependencyUnavailable
from playbill.simulation.transport import RetryPolicy, Transport

Reply = TypeVar("Reply")

_FEED = msgspec.json.Decoder(FeedReply)
_EVENTS = msgspec.json.Decoder(EventsReply)
_VIDEOS = msgspec.json.Decoder(VideosReply)
_STATUS = msgspec.json.Decoder(Status)
_USERS = msgspec.json.Decoder(UsersReply)


class FeedService(Protocol):
    """What a closed loop needs of a server.

    Every method raises ``InvalidInput`` for what the server refuses and ``DependencyUnavailable``
    when it is gone, late or failing.
    """

    def post_videos(self, videos: Sequence[Fields]) -> int:
        """Post at most 1,000 videos and return how many were taken."""
        ...

    def post_users(self, users: Sequence[Fields]) -> int:
        """Post the facts of at most 1,000 viewers and return how many were taken."""
        ...

    def post_events(self, events: Sequence[Event] | Sequence[Fields]) -> EventsReply:
        """Post at most 1,000 events; those refused are named in the reply."""
        ...

    def feed(
        self,
        user_id: str,
        *,
        size: int = 20,
        surface: str | None = None,
        region: str | None = None,
        session_id: str | None = None,
        cursor: str | None = None,
        personalised: bool = True,
    ) -> FeedReply:
        """Ask for one page of a feed; what is None is left to the server."""
        ...


class PlaybillClient:
    """The HTTP API as methods; a ``FeedService``. Any number of threads may share it.

    Every method raises what ``Transport.call`` raises.

    Args:
        feed_url: base of the feed server, for example ``http://127.0.0.1:8700``.
        collector_url: base of the collector that takes the writes; the feed server when None.
        api_key: sent as a bearer token.
        connections: kept open to each server; one a thread.
        timeout_s: for connecting and for each wait on the socket.
        retry: when to try again.
        pause: waits so many seconds before the next try; without it the thread sleeps.

    Raises:
        InvalidInput: a URL is not ``http`` or ``https``, or names no host.
    """

    def __init__(
        self,
        feed_url: str,
        collector_url: str | None = None,
        *,
        api_key: str | None = None,
        connections: int = 4,
        timeout_s: float = 5.0,
        retry: RetryPolicy | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        def transport(url: str) -> Transport:
            return Transport(
                url,
                api_key=api_key,
                connections=connections,
                timeout_s=timeout_s,
                retry=retry or RetryPolicy(),
                pause=pause,
            )

        self._feeds = transport(feed_url)
        self._writes = transport(collector_url or feed_url)

    def post_videos(self, videos: Sequence[Fields]) -> int:
        """Post at most 1,000 videos and return how many were taken."""
        return self._post("/v1/videos", videos, _VIDEOS).accepted

    def post_users(self, users: Sequence[Fields]) -> int:
        """Post the facts of at most 1,000 viewers and return how many were taken."""
        return self._post("/v1/users", users, _USERS).accepted

    def post_events(self, events: Sequence[Event] | Sequence[Fields]) -> EventsReply:
        """Post at most 1,000 events; those refused are named in the reply."""
        return self._post("/v1/events", {"events": events}, _EVENTS)

    def feed(
        self,
        user_id: str,
        *,
        size: int = 20,
        surface: str | None = None,
        region: str | None = None,
        session_id: str | None = None,
        cursor: str | None = None,
        personalised: bool = True,
    ) -> FeedReply:
        """Ask for one page of a feed; what is None is left to the server."""
        query = {
            "user_id": user_id,
            "size": str(size),
            "surface": surface,
            "region": region,
            "session_id": session_id,
            "cursor": cursor,
            "personalised": None if personalised else "false",
        }
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return _decoded(self._feeds.call("GET", f"/v1/feed?{text}"), _FEED)

    def status(self) -> Status:
        """Return how the deployment is doing."""
        return _decoded(self._feeds.call("GET", "/v1/status"), _STATUS)

    def close(self) -> None:
        """Let go of the connections."""
        self._feeds.close()
        self._writes.close()

    def _post(self, path: str, body: object, decoder: "msgspec.json.Decoder[Reply]") -> Reply:
        return _decoded(self._writes.call("POST", path, msgspec.json.encode(body)), decoder)


def _decoded(data: bytes, decoder: "msgspec.json.Decoder[Reply]") -> Reply:
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise DependencyUnavailable(
            f"the server's reply is not what the API promises: {error}",
            code="reply_invalid",
            hint="check that client and server are of one version",
        ) from error
