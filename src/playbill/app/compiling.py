"""Every kernel that a running home calls, compiled ahead: what ``playbill warm`` does."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from numba.core.dispatcher import Dispatcher

from playbill.app.config import overridden
from playbill.app.layout import Layout
from playbill.app.watcher import Watcher
from playbill.app.wiring import Wiring
from playbill.contracts import Event, EventType, FeedRequest, Settings, User, Video
from playbill.features import Updater
from playbill.privacy.adapters.file_keys import FileKeyStore
from playbill.serving import Board

_VIEWER, _VIDEOS = "viewer", 40
_PLACE = 2
_SMALL = {"state.item_capacity": 1 << 16, "state.group_capacity": 1 << 10}


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the kernels."""

    compiled: int
    """Kernels that were compiled now, and are in the cache from now on."""
    loaded: int
    """Kernels that the cache had."""
    folders: list[str]
    """Where they are cached."""
    seconds: float
    """Time from begin to end."""


def compile_kernels() -> Compiled:
    """Run everything that a home runs, over a small one that is thrown away.

    Raises:
        DependencyUnavailable: there is no room for a small home.
    """
    with tempfile.TemporaryDirectory(prefix="playbill-warm-") as folder:
        layout = Layout(Path(folder) / "home")
        settings = overridden(Settings(), "a small home", _SMALL)
        wiring = Wiring(layout, settings, FileKeyStore(layout.home / "keys"))
        began_s = wiring.clock.elapsed_s()
        try:
            _live_a_little(wiring)
        finally:
            shutil.rmtree(layout.run, ignore_errors=True)
        seconds = wiring.clock.elapsed_s() - began_s
    found = list(_kernels())
    return Compiled(
        compiled=sum(sum(kernel.stats.cache_misses.values()) for kernel in found),
        loaded=sum(sum(kernel.stats.cache_hits.values()) for kernel in found),
        folders=sorted({str(kernel.stats.cache_path) for kernel in found}),
        seconds=round(seconds, 2),
    )


def _live_a_little(wiring: Wiring) -> None:
    wiring.layout.make()
    wiring.settle()
    board = Board(wiring.layout.board, create=True)
    with (
        closing(wiring.users(writer=True)) as users,
        closing(wiring.collector(f"serve-{_PLACE}")) as collector,
    ):
        updater = wiring.updater(users, wiring.items(create=True))
        updater.recover()
        now_ms = wiring.clock.now_ms()
        collector.take_users([User(user_id=_VIEWER, age=30, follows=["author1"])]).result()
        collector.take_videos([_video(number) for number in range(_VIDEOS)]).result()
        _fold(updater)
        _, durable = collector.take_typed(list(_events(now_ms)))
        for written in durable:
            written.result()
        _fold(updater)
        # Its own view of the store is refused while this process writes it, so its feeds are
        # popular ones; what ranks is warmed by itself.
        watcher = Watcher(wiring, collector, board, board.row(_PLACE), _PLACE)
        asyncio.run(watcher.warm_up())
        watcher.service.feed(FeedRequest(user_id=_VIEWER))
        watcher.service.flush()
        collector.take_down("video0").result()
        _fold(updater)
        updater.checkpoint()


def _fold(updater: Updater) -> None:
    while updater.step() is not None:
        pass


def _video(number: int) -> Video:
    return Video(
        video_id=f"video{number}",
        author_id=f"author{number % 4}",
        title="A video",
        topics=["a topic"],
        duration_ms=30_000,
    )


def _events(now_ms: int) -> Iterator[Event]:
    for place, kind in enumerate(EventType):
        yield Event(
            event_id=f"event{place}",
            type=kind,
            user_id=_VIEWER,
            video_id=f"video{place}",
            author_id="author1",
            at=now_ms,
            watch_ms=20_000 if kind is EventType.WATCH else None,
        )


def _kernels() -> Iterator[Any]:
    """Yield every kernel of the modules that are loaded."""
    for name, module in list(sys.modules.items()):
        if name.startswith("playbill.") and name.endswith("_kernel"):
            yield from (
                found
                for found in vars(module).values()
                if isinstance(found, Dispatcher) and found.__module__ == name
            )
