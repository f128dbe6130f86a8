"""A server's process: whatever ends it, the log's partitions are given back."""

import asyncio
import signal
import socket

import pytest

from playbill.app import layout, worker_process
from playbill.app.verbs import Home
from playbill.app.worker_process import run_collector, run_worker
from playbill.serving import Board


@pytest.fixture
def wiring(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")
    found = Home(tmp_path / "home").wiring
    found.layout.make()
    Board(found.layout.board, create=True)
    found.layout.recovered.touch()
    before = signal.getsignal(signal.SIGINT)
    yield found
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("process", "run"),
    [
        ("collect", run_collector),
        ("serve-2", lambda wiring, end: run_worker(wiring, 2, end)),
    ],
)
def test_a_server_that_breaks_gives_its_partitions_back(wiring, monkeypatch, process, run):
    async def breaks(*_):
        raise OSError("the port is gone")

    monkeypatch.setattr(worker_process, "_serve", breaks)
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket() as door:
        socket.send_fds(ours, [b"serve"], [door.fileno()])
        with pytest.raises(OSError, match="the port is gone"):
            asyncio.run(run(wiring, theirs))
    wiring.collector(process).close()


def test_a_heart_has_beaten_before_its_process_says_that_it_is_ready():
    beats = []

    async def live():
        async with worker_process._beating(lambda: beats.append("beat")):
            beats.append("ready")

    asyncio.run(live())
    assert beats == ["beat", "ready"]
