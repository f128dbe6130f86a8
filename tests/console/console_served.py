"""The console on a real port, from a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.routing import Mount

from playbill.console import routes
from playbill.contracts import ConsoleBackend
from playbill.core import Clock


def mounted(backend: ConsoleBackend, clock: Clock) -> Starlette:
    """Return an application with the console where the server puts it."""
    return Starlette(routes=[Mount("/console", routes=routes(backend, clock))])


@contextmanager
def served(backend: ConsoleBackend, clock: Clock) -> Iterator[str]:
    """Serve the console on a free loopback port and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        mounted(backend, clock), port=port, interface=Interfaces.ASGINL, log_enabled=False
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),))
    thread.start()
    try:
        _wait_until_open(port, thread)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=20)
        loop.close()


def _wait_until_open(port: int, thread: threading.Thread) -> None:
    while thread.is_alive():
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the server stopped before it listened")
