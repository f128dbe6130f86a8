"""``playbill up``: everything, in one terminal."""

import signal
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from playbill.app.stopping import Stopped
from playbill.app.supervisor import Supervisor
from playbill.app.wiring import Wiring
from playbill.cli.shared import HomeOption, err, explained
from playbill.serving import Board, quantile_ms


def up(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_534, help="Port of feeds and console.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that serve feeds.")
    ] = None,
) -> None:
    """Start updater, collector and servers; replace what dies; stop all on Ctrl-C.

    On SIGHUP it replaces the servers one by one, without losing a request.
    """
    with explained():
        wiring = Wiring.of(home).override(port=port, workers=workers)
        with wiring.alone():
            supervisor = Supervisor(wiring, lambda line: err.print(line, highlight=False))
            signal.signal(signal.SIGINT, supervisor.stopping.ask)
            signal.signal(signal.SIGTERM, supervisor.stopping.ask)
            signal.signal(signal.SIGHUP, supervisor.renew)
            http = wiring.settings.http
            kind = "http" if http.tls_certificate is None else "https"
            err.print(f"home {wiring.layout.home}", highlight=False)
            try:
                supervisor.start()
            except Stopped:
                return
            err.print(f"feeds and console: {kind}://{http.host}:{http.port}", highlight=False)
            bulk = f"{http.host}:{http.collector_port}"
            err.print(f"writes in bulk:    {kind}://{bulk}", highlight=False)
            err.print("Ctrl-C stops everything.", highlight=False)
            with err.status("") as line:
                pulse = _Pulse()
                supervisor.watch(lambda board: line.update(pulse.line(board)))
            err.print("stopped", highlight=False)


class _Pulse:
    """One line on the last second."""

    def __init__(self) -> None:
        self._feeds = 0
        self._events = 0
        self._latency: npt.NDArray[np.int64] | None = None

    def line(self, board: Board) -> str:
        """Return feeds and events of the last second, and how the feeds went."""
        feeds, events, latency = board.total("feeds"), board.total("events"), board.latency()
        before = latency if self._latency is None else self._latency
        p95_ms = quantile_ms(latency - before, 0.95)
        text = f"{feeds - self._feeds:,} feeds/s, {events - self._events:,} events/s"
        if p95_ms is not None:
            text += f", p95 {p95_ms:.1f} ms"
        tiers = ", ".join(f"{tier} {count:,}" for tier, count in board.tiers().items() if count)
        self._feeds, self._events, self._latency = feeds, events, latency
        return f"{text}; since the start: {tiers or 'no feed yet'}"
