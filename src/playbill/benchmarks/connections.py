"""Connections to one server that are kept alive, each with at most one request under way."""

import asyncio
import re

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_MOST_CONNECTIONS = 2_048
_PATIENCE_S = 10.0


class Connections:
    """As many as it takes.

    Args:
        host: of the server.
        port: of the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()

    async def answer(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body; a kept connection that the server closed is not the last word.

        Raises:
            OSError: there is no connection, or it broke.
            TimeoutError: there was no answer within ten seconds.
        """
        connection = await self._connected()
        kept = connection.used
        try:
            answer = await asyncio.wait_for(connection.ask(request), _PATIENCE_S)
        except (OSError, TimeoutError) as error:
            connection.close()
            self._all.discard(connection)
            if kept and isinstance(error, ConnectionResetError):
                return await self.answer(request)
            raise
        self._idle.append(connection)
        return answer

    async def close(self) -> None:
        """Let go of every connection."""
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle.clear()
        await asyncio.sleep(0)

    async def _connected(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
            self._all.discard(connection)
        if len(self._all) >= _MOST_CONNECTIONS:
            raise ConnectionRefusedError("every connection is under way")
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, *self._address)
        self._all.add(connection)
        return connection


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
