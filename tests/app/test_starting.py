"""At a home's start servers get ready while the updater recovers; later they do not wait for it."""

import asyncio

import pytest

from playbill.app import layout, starting
from playbill.app.kernels import in_turns
from playbill.app.starting import until_recovered
from playbill.app.verbs import Home
from playbill.serving import Board


@pytest.fixture
def wiring(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")
    found = Home(tmp_path / "home").wiring
    found.layout.make()
    return found


@pytest.fixture
def row(tmp_path):
    return Board(tmp_path / "board", create=True).row(2)


@pytest.fixture
def compiled(monkeypatch):
    places = []
    monkeypatch.setattr(
        starting, "_compile", lambda wiring, items, place, ranks: places.append((place, ranks))
    )
    return places


def test_a_server_beats_until_the_updater_has_recovered(wiring, row, compiled):
    async def starts():
        waiting = asyncio.create_task(until_recovered(wiring, row, 2, asyncio.Event(), ranks=True))
        while not row._row["beat_s"][0]:
            await asyncio.sleep(0)
        assert not waiting.done()
        wiring.layout.recovered.touch()
        return await waiting

    assert asyncio.run(starts())
    assert compiled == []


@pytest.mark.parametrize("ranks", [True, False])
def test_what_requests_call_is_compiled_meanwhile(wiring, row, compiled, monkeypatch, ranks):
    items = wiring.items(create=True)
    monkeypatch.setattr(starting, "_HELP_AFTER_S", 0.0)

    async def starts():
        waiting = asyncio.create_task(until_recovered(wiring, row, 2, asyncio.Event(), ranks=ranks))
        while not compiled:
            await asyncio.sleep(0)
        assert not waiting.done()
        wiring.layout.recovered.touch()
        return await waiting

    assert asyncio.run(starts())
    assert compiled == [(2, ranks)]
    assert items.present()


def test_who_only_helps_does_nothing_where_everything_was_run(wiring, row, compiled, monkeypatch):
    wiring.items(create=True)
    wiring.layout.recovered.touch()
    monkeypatch.setattr(starting, "_HELP_AFTER_S", 1e9)
    in_turns(wiring.layout.kernels, {name: lambda: None for name in starting.PARTS}, 0)
    assert asyncio.run(until_recovered(wiring, row, 1, asyncio.Event(), ranks=False))
    assert compiled == []


def test_who_is_told_to_stop_waits_no_longer(wiring, row, compiled):
    async def starts():
        stopping = asyncio.Event()
        stopping.set()
        return await until_recovered(wiring, row, 2, stopping, ranks=True)

    assert asyncio.run(starts()) is False


def test_kernels_that_do_not_compile_end_the_start(wiring, row, monkeypatch):
    wiring.items(create=True)
    wiring.layout.recovered.touch()

    def breaks(*_):
        raise ValueError("a kernel does not compile")

    monkeypatch.setattr(starting, "_compile", breaks)
    with pytest.raises(ValueError, match="does not compile"):
        asyncio.run(until_recovered(wiring, row, 2, asyncio.Event(), ranks=True))
