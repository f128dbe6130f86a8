"""Listening sockets: the supervisor keeps them and lends each to the process that serves it.

A connection that arrived is in the socket, not in the process. So whoever is lent a socket next
finds there what the last one did not take, and no connection is lost when a process ends. Workers
have a socket each, and the kernel spreads connections over them.
"""

import asyncio
import socket
from dataclasses import dataclass, field

from playbill.contracts import HttpSettings
from playbill.core import Conflict

COLLECTOR_DOOR = 0
FIRST_DOOR = 1
BACKLOG = 1024
_WORD = b"serve"


@dataclass(slots=True)
class Doors:
    """The supervisor's side: the sockets of both ports, bound before any process starts.

    A socket listens from when its first process serves it.
    """

    http: HttpSettings
    _sockets: dict[int, socket.socket] = field(default_factory=dict)

    def open(self) -> None:
        """Bind every socket.

        Raises:
            Conflict: somebody else listens on a port, or it cannot be bound.
        """
        for port in (self.http.port, self.http.collector_port):
            # Without SO_REUSEPORT, so that another home's sockets are in the way.
            self._bound(port, shared=False).close()
        try:
            for door in range(FIRST_DOOR + self.http.workers):
                self._sockets[door] = self._bound(self._port(door), shared=True)
        except Conflict:
            self.close()
            raise

    def lend(self, door: int, to: socket.socket) -> None:
        """Give a socket to the process at the other end; it serves from now on.

        Raises:
            OSError: there is no process any more.
        """
        socket.send_fds(to, [_WORD], [self._sockets[door].fileno()])

    def rehang(self, door: int) -> None:
        """Replace a socket that nobody serves, so that the kernel stops choosing it.

        Connections that wait in it are reset.

        Raises:
            Conflict: it cannot be bound again.
        """
        fresh = self._bound(self._port(door), shared=True)
        self._sockets[door].close()
        self._sockets[door] = fresh

    def close(self) -> None:
        """Let go of both ports."""
        while self._sockets:
            self._sockets.popitem()[1].close()

    def _port(self, door: int) -> int:
        return self.http.collector_port if door == COLLECTOR_DOOR else self.http.port

    def _bound(self, port: int, *, shared: bool) -> socket.socket:
        host, send_ms = self.http.host, int(self.http.send_s * 1000)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            bound = socket.socket(found[0], socket.SOCK_STREAM)
            try:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if shared:
                    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                # Connections inherit these two from the socket that they arrive at.
                bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, send_ms)
                bound.bind(found[4])
            except OSError:
                bound.close()
                raise
        except OSError as error:
            raise Conflict(
                f"{host}:{port} cannot be listened on: {error.strerror}",
                hint="stop what listens there, or choose another with --port",
            ) from error
        return bound


class Porch:
    """A process's side: where it waits for its socket.

    Args:
        end: its end of the pair that the supervisor made with it.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)

    async def door(self, stopping: asyncio.Event) -> int | None:
        """Return the descriptor of the socket to serve, once there is one; None when told to stop.

        The descriptor is the caller's to close.
        """
        loop = asyncio.get_running_loop()
        knocked = asyncio.Event()
        loop.add_reader(self._end, knocked.set)
        try:
            waits = {asyncio.create_task(event.wait()) for event in (knocked, stopping)}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        finally:
            loop.remove_reader(self._end)
        if stopping.is_set():
            return None
        _, descriptors, _, _ = socket.recv_fds(self._end, len(_WORD), 1)
        return descriptors[0] if descriptors else None
