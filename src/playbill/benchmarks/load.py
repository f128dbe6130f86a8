"""Load over HTTP on kept-alive connections: a closed loop for capacity, an open one for latency.

In the open loop requests are due at random instants that do not wait for replies, and latency
counts from the instant a request was due, so that a server that stalls cannot hide it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from playbill.core import Clock

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TIER = re.compile(rb'"tier":"([a-z]+)"')
_BUNDLE = re.compile(rb'"bundle":"([^"]*)"')
_MOST_CONNECTIONS = 512
_PATIENCE_S = 10.0


@dataclass(slots=True)
class Load:
    """What came back: tiers, what was no 200 and why, empty pages; of each reply when and what.

    ``latency_ms``, ``done_s`` (seconds of the monotonic clock) and ``bundles`` (digests, empty for
    none) have one entry for each reply of status 200.
    """

    seconds: float = 0.0
    latency_ms: list[float] = field(default_factory=list)
    done_s: list[float] = field(default_factory=list)
    bundles: list[bytes] = field(default_factory=list)
    tiers: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    empty: int = 0

    @property
    def per_s(self) -> float:
        """Return replies of status 200 per second."""
        return len(self.latency_ms) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the latencies, NaN without any."""
        return float(np.quantile(self.latency_ms, share)) if self.latency_ms else float("nan")


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self) -> None:
        self._data = b""
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self.closed = False
        self.used = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head = self._data.find(b"\r\n\r\n")
        if head < 0 or self._waiting is None:
            return
        length = _LENGTH.search(self._data, 0, head)
        end = head + 4 + (int(length.group(1)) if length else 0)
        if len(self._data) < end:
            return
        self.used = True
        status, body = int(self._data[9:12]), self._data[head + 4 : end]
        self._data = self._data[end:]
        self._waiting.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server closed the connection"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        assert self._transport is not None
        if self.closed:
            raise ConnectionResetError("the server closed the connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Generator:
    """Feed requests of many viewers to one server.

    Args:
        host: of the server.
        port: of the server.
        viewers: ids to ask for, in turn.
        clock: measures.
        size: videos of a feed.
    """

    def __init__(
        self, host: str, port: int, viewers: list[str], clock: Clock, size: int = 20
    ) -> None:
        self._address = host, port
        self._clock = clock
        self._requests = [
            (f"GET /v1/feed?user_id={viewer}&size={size} HTTP/1.1\r\nhost: {host}\r\n\r\n").encode()
            for viewer in viewers
        ]
        self._next = 0
        self._idle: list[_Connection] = []
        self._connections: set[_Connection] = set()

    async def closed(self, connections: int, seconds: float) -> Load:
        """Ask on some connections, each as soon as it has its reply."""
        load = Load(seconds)
        end_s = self._clock.elapsed_s() + seconds

        async def one() -> None:
            while self._clock.elapsed_s() < end_s:
                await self._ask(load, self._clock.elapsed_s())

        await asyncio.gather(*(one() for _ in range(connections)))
        return load

    async def open(self, per_s: float, seconds: float, random: np.random.Generator) -> Load:
        """Ask at random instants, ``per_s`` a second on average (a Poisson process)."""
        load = Load(seconds)
        began_s = self._clock.elapsed_s()
        under_way: set[asyncio.Task[None]] = set()
        for due_s in self._instants(per_s, seconds, random):
            wait_s = began_s + due_s - self._clock.elapsed_s()
            if wait_s > 0.0:
                await asyncio.sleep(wait_s)
            task = asyncio.ensure_future(self._ask(load, began_s + due_s))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way, timeout=_PATIENCE_S)
        load.failed += len(under_way)
        return load

    def now_s(self) -> float:
        """Return seconds of the clock that ``Load.done_s`` is told by."""
        return self._clock.elapsed_s()

    async def close(self) -> None:
        """Let go of every connection."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._idle.clear()
        await asyncio.sleep(0)

    def _instants(
        self, per_s: float, seconds: float, random: np.random.Generator
    ) -> Iterator[float]:
        due_s = 0.0
        while (due_s := due_s + random.exponential(1.0 / per_s)) < seconds:
            yield due_s

    async def _ask(self, load: Load, due_s: float) -> None:
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        try:
            status, body = await self._answer(request)
        except (OSError, TimeoutError) as error:
            load.failed += 1
            load.problems[type(error).__name__] += 1
            return
        if status != 200:
            load.failed += 1
            load.problems[str(status)] += 1
            return
        load.done_s.append(self._clock.elapsed_s())
        load.latency_ms.append((load.done_s[-1] - due_s) * 1000.0)
        bundle = _BUNDLE.search(body)
        load.bundles.append(bundle.group(1) if bundle else b"")
        load.empty += b'"items":[]' in body
        tier = _TIER.search(body)
        load.tiers[tier.group(1).decode() if tier else "?"] += 1

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body; a kept connection that the server closed is not the last word."""
        connection = await self._connected()
        kept = connection.used
        try:
            answer = await asyncio.wait_for(connection.ask(request), _PATIENCE_S)
        except (OSError, TimeoutError) as error:
            connection.close()
            self._connections.discard(connection)
            if kept and isinstance(error, ConnectionResetError):
                return await self._answer(request)
            raise
        self._idle.append(connection)
        return answer

    async def _connected(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
            self._connections.discard(connection)
        if len(self._connections) >= _MOST_CONNECTIONS:
            raise ConnectionRefusedError("every connection is under way")
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, *self._address)
        self._connections.add(connection)
        return connection
