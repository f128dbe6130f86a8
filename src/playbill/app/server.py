"""One HTTP server in this process: how it listens, and how it leaves without losing a request."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server as Embedded

from playbill.app.doors import BACKLOG
from playbill.contracts import HttpSettings
from playbill.serving.http.gate import Gate

_SETTLE_S = (0.1, 1.0)
"""Between the last connection that is taken and the closing of those that ask nothing: as long as
the drain, within these bounds. Whoever has just connected asks in this time."""
_SPARE_S = 1.0
_ROOM = 4
"""Heads up to this many times too large are answered with a problem, larger ones with nothing but
the status."""


_holder: Any = SocketHolder
"""Its stub does not know its arguments: descriptor, whether it is a Unix socket, backlog."""


class _Lent(Embedded):
    """Granian on a socket that is already bound."""

    def __init__(self, descriptor: int, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._descriptor = descriptor

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = _holder(self._descriptor, False, BACKLOG)


@dataclass(frozen=True, slots=True)
class Server:
    """Serve an application until told to stop.

    Args:
        home: where paths in the settings begin.
        leaving: called once when it is told to stop, before anything else.
    """

    gate: Gate
    http: HttpSettings
    home: Path
    leaving: Callable[[], None]

    async def run(self, descriptor: int, stopping: asyncio.Event) -> None:
        """Serve a bound socket until told to stop, and then until everybody has their reply.

        The order in which it leaves is what no request is lost by: say so; go on for
        ``http.drain_s`` and close each connection with its reply; take no new connection, which
        the next process finds in the socket; give those just taken time to ask; close those that
        do not; finish.
        """
        logging.getLogger("_granian").setLevel(logging.ERROR)
        server = self._embedded(descriptor)
        serving = asyncio.create_task(server.serve())
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            self.leaving()
            self.gate.draining = True
            await asyncio.sleep(self.http.drain_s)
            _turn_away(descriptor)
            await asyncio.sleep(min(max(self.http.drain_s, _SETTLE_S[0]), _SETTLE_S[1]))
        server.stop()  # type: ignore[no-untyped-call]
        done, _ = await asyncio.wait({serving}, timeout=self.http.body_s + _SPARE_S)
        for task in done:
            task.result()

    def _embedded(self, descriptor: int) -> _Lent:
        http = self.http
        tls = {}
        if http.tls_certificate is not None and http.tls_key is not None:
            tls = {
                "ssl_cert": self.home / http.tls_certificate,
                "ssl_key": self.home / http.tls_key,
                "ssl_protocol_min": SSLProtocols.tls12,
            }
        return _Lent(
            descriptor,
            self.gate,
            address=http.host,
            port=http.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            backlog=BACKLOG,
            backpressure=http.max_connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(http.head_s * 1000),
                max_buffer_size=max(_ROOM * http.max_head_bytes, 1 << 16),
            ),
            **tls,
        )


def _turn_away(descriptor: int) -> None:
    """Take no connection more: put a socket that nobody knows in the place of the lent one.

    The supervisor still has the lent one, so what arrives there waits for the next process.
    """
    with socket.socket() as unknown:
        unknown.bind(("127.0.0.1", 0))
        unknown.listen(0)
        unknown.setblocking(False)
        os.dup2(unknown.fileno(), descriptor, inheritable=False)
