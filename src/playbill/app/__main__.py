"""Entry point of the processes that the supervisor starts: ROLE PLACE HOME PARENT LENDER."""

import asyncio
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop

from playbill.app.process import EXIT_DEPENDENCY, explained, step_aside
from playbill.app.updater_process import run_updater
from playbill.app.wiring import Wiring
from playbill.app.worker_process import run_collector, run_worker
from playbill.core.lifeline import end_with


def main() -> None:
    """Run one role."""
    role, place, home, parent, lender = sys.argv[1:]
    end_with(int(parent), EXIT_DEPENDENCY)
    with explained():
        wiring = Wiring.running(Path(home))
        if role == "updater":
            run_updater(wiring)
        elif role == "precompute":
            from playbill.app.precompute import precompute

            step_aside()
            precompute(wiring, None)
        elif role == "retrain":
            from playbill.app.retraining import retrain
            from playbill.app.verbs import Home

            step_aside()
            retrain(Home(Path(home)))
        elif role == "collector":
            _run(run_collector(wiring, socket.socket(fileno=int(lender))))
        else:
            _run(run_worker(wiring, int(place), socket.socket(fileno=int(lender))))


def _run(server: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server)


if __name__ == "__main__":
    main()
