"""A learned home that serves while something is measured."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.feeds import PORT, learned_home
from playbill.app.supervisor import Supervisor
from playbill.benchmarks.feed import served


@contextmanager
def running(workers: int) -> Iterator[Supervisor]:
    """Yield the supervisor of a home with 20,000 videos and a bundle."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(learned_home(Path(folder)), PORT, workers) as supervisor,
    ):
        yield supervisor
