"""A learned home that serves while something is measured."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.feeds import PORT, learned_home
from playbill.app.supervisor import Supervisor
from playbill.app.verbs import Home


@contextmanager
def running(workers: int) -> Iterator[Supervisor]:
    """Yield the supervisor of a home with 20,000 videos and a bundle."""
    with tempfile.TemporaryDirectory() as folder:
        home = learned_home(Path(folder))
        wiring = Home(home).wiring.override(port=PORT, workers=workers)
        with wiring.alone():
            supervisor = Supervisor(wiring, lambda line: None)
            supervisor.start()
            watching = threading.Thread(target=supervisor.watch)
            watching.start()
            try:
                yield supervisor
            finally:
                supervisor.stopping.ask()
                watching.join()
