"""Mapping the lists made ahead: new ones take over, bad ones change nothing, gone ones go."""

import asyncio

import numpy as np
import pytest

from laws.serving_worlds import filled_world
from playbill.app.lists_watch import ListsWatch
from playbill.core import key64
from playbill.serving import Board
from playbill.serving.ahead import Ahead
from playbill.serving.lists_ahead import write_lists

USER = b"u" * 16


@pytest.fixture(scope="module")
def world():
    return filled_world()


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path / "board", create=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ahead.lists"


@pytest.fixture
def watch(path, world, board):
    return ListsWatch(path, Ahead(), lambda: world.items, board.row(0))


def write(path, video, region=("v3", "ghost", "v1")):
    write_lists(
        path,
        created_at_ms=1,
        bundle="sha256:" + "a" * 64,
        size=2,
        viewers={USER: (np.array([video], np.uint64), np.ones(1, np.uint8))},
        regions=[[np.array([key64(name) for name in region], np.uint64)]],
        region_size=4,
    )


def look(watch, times=1):
    async def looks():
        for _ in range(times):
            watch.look()
            await watch._loading

    asyncio.run(looks())
    return watch._ahead


def served(ahead):
    return None if ahead.lists is None else ahead.lists.find(USER)[0].tolist()


def test_a_new_file_takes_over_with_its_regions_as_rows(watch, path, world):
    assert served(look(watch)) is None
    write(path, 5)
    ahead = look(watch)
    assert served(ahead) == [5]
    assert ahead.popular(1, 1).tolist() == [world.row("v3"), world.row("v1")]
    assert ahead.popular(2, 1).tolist() == []
    write(path, 6)
    assert served(look(watch)) == [6]


def test_a_file_that_was_altered_is_refused_aloud_once_and_the_old_lists_serve(
    watch, path, board, caplog
):
    write(path, 5)
    look(watch)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(path)
    assert served(look(watch, times=3)) == [5]
    (line,) = caplog.messages
    assert line.startswith("the lists in ahead.lists are not served: it was altered")
    assert board.total("errors") == 1
    write(path, 7)
    assert served(look(watch)) == [7]


def test_a_file_that_is_gone_takes_its_lists_with_it(watch, path):
    write(path, 5)
    look(watch)
    path.unlink()
    ahead = look(watch)
    assert ahead.lists is None
    assert ahead.rows_by_place == {}


def test_nothing_is_mapped_before_there_is_item_state(path, world, board):
    write(path, 5)
    items = []
    watch = ListsWatch(path, Ahead(), lambda: items[0] if items else None, board.row(0))
    assert served(look(watch)) is None
    items.append(world.items)
    assert served(look(watch)) == [5]
