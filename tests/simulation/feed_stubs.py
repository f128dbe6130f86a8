"""A feed service in memory, and an HTTP server that answers as it was told."""

import json
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from playbill.contracts import Event, EventsReply, FeedItem, FeedReply, Fields, Tier
from playbill.core import DependencyUnavailable, FixedClock
from playbill.simulation import ClosedLoop, LoopSettings, World

STARTED_AT_MS = 1_760_000_000_000
RESET = "reset"


@dataclass
class FakeFeedService:
    """Serve videos of a world by a fixed rule, advance the clock, and remember every call."""

    world: World
    clock: FixedClock
    latency_ms: int = 4
    failing_feeds: bool = False
    failing_events: bool = False
    cursor: str | None = None
    strangers: int = 0
    repeat: bool = False
    feeds: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    videos: list[Fields] = field(default_factory=list)
    users: list[Fields] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post_videos(self, videos: Sequence[Fields]) -> int:
        self.videos += videos
        return len(videos)

    def post_users(self, users: Sequence[Fields]) -> int:
        self.users += users
        return len(users)

    def post_events(self, events: Sequence[Event] | Sequence[Fields]) -> EventsReply:
        if self.failing_events:
            raise DependencyUnavailable("the log is gone", code="log_unavailable")
        with self.lock:
            self.batches.append(len(events))
            self.events += events
        return EventsReply(accepted=len(events), duplicates=0, rejected=[])

    def feed(self, user_id: str, *, size: int = 20, **asked: Any) -> FeedReply:
        with self.lock:
            self.feeds.append({"user_id": user_id, "size": size, **asked})
            call = len(self.feeds)
            self.clock.advance(self.latency_ms)
        if self.failing_feeds:
            raise DependencyUnavailable("nobody home", code="unreachable")
        rows = np.arange(size) if self.repeat else (call * 31 + np.arange(size) * 7)
        ids = [self.world.catalogue.video_ids[row % 3_000] for row in rows.tolist()]
        ids[: self.strangers] = [f"stranger-{place}" for place in range(self.strangers)]
        return FeedReply(
            request_id=f"{call:016x}",
            served_at=self.clock.now_ms(),
            tier=Tier.FULL if call % 2 else Tier.POPULAR,
            reasons=[],
            bundle=None,
            items=[
                FeedItem(
                    video_id=video_id,
                    position=position,
                    score=0.0,
                    source="fresh",
                    propensity=1.0,
                    because="",
                )
                for position, video_id in enumerate(ids)
            ],
            cursor=self.cursor,
        )


ONE_THREAD = LoopSettings(threads=1)


def make_loop(world, *, settings=ONE_THREAD, seed=3, **fake):
    clock = FixedClock(STARTED_AT_MS)
    service = FakeFeedService(world, clock, **fake)

    def pause(seconds):
        clock.advance(round(seconds * 1_000))

    return ClosedLoop(world, service, clock, seed, settings, pause), service, clock


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class StubServer:
    """Answer with the scripted replies in order, and repeat the last one."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], Any] | str] = []
        self.seen: list[Seen] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def do_GET(self) -> None:
                stub.answer(self)

            def do_POST(self) -> None:
                stub.answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StubServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        self.seen.append(
            Seen(
                handler.command,
                handler.path,
                dict(handler.headers),
                handler.rfile.read(length),
                handler.client_address[1],
            )
        )
        reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(reply, str):
            # A linger of zero makes close() send RST, as a crashing server does.
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.close_connection = True
            return
        status, headers, body = reply
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
