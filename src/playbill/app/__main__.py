"""Entry point of the processes that the supervisor starts: ROLE PLACE HOME PARENT LENDER."""

import asyncio
import socket
import sys
from pathlib import Path

from playbill.app.process import end_with, explained
from playbill.app.updater_process import run_updater
from playbill.app.wiring import Wiring
from playbill.app.worker_process import run_collector, run_worker


def main() -> None:
    """Run one role."""
    role, place, home, parent, lender = sys.argv[1:]
    end_with(int(parent))
    with explained():
        wiring = Wiring.running(Path(home))
        end = socket.socket(fileno=int(lender))
        if role == "updater":
            run_updater(wiring)
        elif role == "collector":
            asyncio.run(run_collector(wiring, end))
        else:
            asyncio.run(run_worker(wiring, int(place), end))


if __name__ == "__main__":
    main()
