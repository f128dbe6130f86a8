"""More requests than a worker can rank: each is answered, with less work, and then it recovers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_home import LiveHome, until
from playbill.app.clock import SystemClock
from playbill.benchmarks.load import Generator
from trained_home import copy_of


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[LiveHome]:
    live = copy_of(template, tmp_path / "home")
    live.start()
    yield live
    live.stop()


def test_overload_makes_feeds_simpler_and_never_missing(made: LiveHome) -> None:
    viewers = [f"viewer{number}" for number in range(60)]

    async def crowd():
        generator = Generator("127.0.0.1", made.port, viewers, SystemClock())
        load = await generator.closed(100, 4.0)
        await generator.close()
        return load

    load = asyncio.run(crowd())
    assert load.failed == 0
    assert load.empty == 0
    simpler = sum(load.tiers.values()) - load.tiers["full"]
    assert simpler > load.tiers["full"] > 0
    until(lambda: made.feed("viewer1")["tier"] == "full", "full feeds come back", 30)
    assert made.feed("viewer2")["reasons"] == []
    assert made.board().total("errors") == 0
