"""``playbill up``: everything, in one terminal."""

import signal
from typing import Annotated

import typer

from playbill.app.supervisor import Supervisor
from playbill.app.wiring import Wiring
from playbill.cli.shared import HomeOption, err, explained


def up(
    home: HomeOption = None,
    port: Annotated[int | None, typer.Option(help="Port of feeds and console.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve feeds.")] = None,
) -> None:
    """Start updater, collector and servers; replace what dies; stop all on Ctrl-C."""
    with explained():
        wiring = Wiring.of(home).override(port=port, workers=workers)
        with wiring.alone():
            supervisor = Supervisor(wiring, lambda line: err.print(line, highlight=False))
            signal.signal(signal.SIGINT, supervisor.request_stop)
            signal.signal(signal.SIGTERM, supervisor.request_stop)
            http = wiring.settings.http
            err.print(f"home {wiring.layout.home}", highlight=False)
            try:
                supervisor.start()
            except InterruptedError:
                return
            err.print(f"feeds and console: http://{http.host}:{http.port}", highlight=False)
            err.print(
                f"writes in bulk:    http://{http.host}:{http.collector_port}", highlight=False
            )
            err.print("Ctrl-C stops everything.", highlight=False)
            supervisor.watch()
            err.print("stopped", highlight=False)
