"""A server as a process: the feed's, or the collector's."""

import asyncio
import contextlib
import importlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from playbill.app.border import Border
from playbill.app.collecting import collect_in_portions
from playbill.app.console_backend import InProcessBackend
from playbill.app.doors import Porch
from playbill.app.process import join_family
from playbill.app.server import Server
from playbill.app.starting import until_recovered
from playbill.app.watcher import Watcher
from playbill.app.wiring import Wiring
from playbill.core import Clock
from playbill.events import Collector
from playbill.serving import Board, BoardRow
from playbill.serving.bulk_feeds import BulkFeeds
from playbill.serving.http import Api
from playbill.serving.http.bulk import Bulk
from playbill.serving.http.gate import Gate
from playbill.serving.http.health import Health
from playbill.serving.http.keys import ApiKeys
from playbill.serving.http.rates import Rates
from playbill.serving.http.reads import Reads
from playbill.serving.http.writes import Writes

_BEAT_S = 0.1
_FEEL_S = 0.01
COLLECTOR_PLACE = 1
PAGES = "playbill.console"


async def run_worker(wiring: Wiring, place: int, lender: socket.socket) -> None:
    """Serve feeds, writes, control and pages until told to stop.

    A standby does everything but serve, until the supervisor lends it a socket.

    Args:
        lender: where the supervisor lends it.
    """
    stopping = _stop_on_sigterm()
    board, row = join_family(place, wiring)
    with contextlib.closing(wiring.collector(f"serve-{place}")) as collector:
        if not await until_recovered(wiring, row, place, stopping, ranks=True):
            return
        watcher = Watcher(wiring, collector, board, row, place)
        await watcher.warm_up()
        api = _feed_api(wiring, watcher, collector, board, row)
        collect_in_portions()
        async with _beating(watcher.beat):
            row.ready()
            door = await Porch(lender).door(stopping)
            if door is not None:
                row.serving()
                async with _during(_feeling(watcher, wiring.clock)):
                    await _serve(api, wiring, row, door, stopping)
        watcher.service.flush()


def _feed_api(
    wiring: Wiring, watcher: Watcher, collector: Collector, board: Board, row: BoardRow
) -> Api:
    settings = wiring.settings
    border = Border(watcher.service, row, watcher.pressure, wiring.clock, watcher.afford)
    bulk = BulkFeeds(border.offer, watcher.service.state, wiring.clock, settings.serving)
    limit = settings.http.max_body_bytes
    reads = Reads(watcher.service, watcher.status, settings.regions, limit)
    backend = InProcessBackend(wiring, watcher, collector, reads, border.answer)
    keys = ApiKeys(settings.api_keys)

    def drains() -> bool:
        """Say so once no process is left that goes on serving the port."""
        return row.is_draining() and not watcher.status.read().workers

    return Api(
        answer=border.answer,
        bulk=Bulk(bulk, row, limit),
        writes=Writes(collector, watcher.guard, row, limit),
        reads=reads,
        health=Health(board, watcher.status, drains),
        keys=keys,
        rates=Rates(settings.rates, len(keys), wiring.clock),
        board=row,
        max_body_bytes=limit,
        pages=_pages(backend, wiring),
    )


async def run_collector(wiring: Wiring, lender: socket.socket) -> None:
    """Take writes only, until told to stop.

    Args:
        lender: where the supervisor lends it its socket.
    """
    stopping = _stop_on_sigterm()
    board, row = join_family(COLLECTOR_PLACE, wiring)
    settings = wiring.settings
    keys = ApiKeys(settings.api_keys)
    with contextlib.closing(wiring.collector("collect")) as collector:
        if not await until_recovered(wiring, row, COLLECTOR_PLACE, stopping, ranks=False):
            return
        watcher = Watcher(wiring, collector, board, row, COLLECTOR_PLACE)
        api = Api(
            answer=None,
            writes=Writes(collector, watcher.guard, row, settings.http.max_body_bytes),
            reads=None,
            health=Health(board, watcher.status, row.is_draining),
            keys=keys,
            rates=Rates(settings.rates, len(keys), wiring.clock),
            board=row,
            max_body_bytes=settings.http.max_body_bytes,
        )
        async with _beating(watcher.beat_lightly):
            row.ready()
            door = await Porch(lender).door(stopping)
            if door is not None:
                await _serve(api, wiring, row, door, stopping)


def _stop_on_sigterm() -> asyncio.Event:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    return stopping


@contextlib.asynccontextmanager
async def _beating(beat: Callable[[], None]) -> AsyncIterator[None]:
    """Let the heart beat until the body is done, however it ends.

    It beats once before the body, which may say that it is ready and then be busy for a while.
    """

    async def turn() -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            beat()

    beat()
    async with _during(turn()):
        yield


async def _feeling(watcher: Watcher, clock: Clock) -> None:
    """Measure how late the loop comes to what is due: as late as it comes to requests."""
    while True:
        due_s = clock.elapsed_s() + _FEEL_S
        watcher.pressure.turn(due_s)
        await asyncio.sleep(_FEEL_S)
        watcher.feel((clock.elapsed_s() - due_s) * 1000.0)


@contextlib.asynccontextmanager
async def _during(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do something beside the body, until the body is done, however it ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


async def _serve(
    api: Api, wiring: Wiring, row: BoardRow, door: int, stopping: asyncio.Event
) -> None:
    http = wiring.settings.http
    gate = Gate(api, http, row)
    await Server(gate, http, wiring.layout.home, row.draining).run(door, stopping)


def _pages(backend: InProcessBackend, wiring: Wiring) -> Sequence[BaseRoute]:
    """Return the console's routes. It is found by name: nothing below it may import it.

    The console shows profiles and acts for viewers without a sign-in, so it is left out where
    keys are configured.
    """
    if wiring.settings.api_keys:
        return ()
    console: Sequence[BaseRoute] = importlib.import_module(PAGES).routes(backend, wiring.clock)
    front = (Route("/", _to_console), Route("/console", _to_console))
    return (*front, Mount("/console", routes=console))


async def _to_console(request: Request) -> Response:
    return RedirectResponse("/console/")
