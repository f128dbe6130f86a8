"""Item state in shared memory, on real files: what a second mapping sees, and when."""

import hashlib
import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given

from laws.feature_stories import law, open_catalogue, stories, tell
from laws.feature_worlds import SETTINGS, World, video
from playbill.core import DependencyUnavailable
from playbill.features import TRENDING_LIST
from playbill.features.adapters import shared_items
from playbill.features.adapters.shared_items import SharedItems
from playbill.features.layout import NO_TOPIC, VISIBLE

SIZES = {"item_capacity": 200, "group_capacity": 100, "regions": 2}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "items.state"


@pytest.fixture
def mapped(path):
    """Return a function that maps the one file of this test."""
    maps = []

    def mapping(*, create: bool = False, **sizes) -> SharedItems:
        maps.append(SharedItems(path, **{**SIZES, **sizes}, create=create))
        return maps[-1]

    yield mapping
    for one in maps:
        one.close()


def _whole(items: SharedItems) -> dict[str, bytes]:
    head = items.header[0]
    return {
        "items": items.items[: head["items"]].tobytes(),
        "authors": items.authors[: head["authors"]].tobytes(),
        "topics": items.topics[: head["topics"]].tobytes(),
        "trending": items.trending.tobytes(),
        "stands at": (int(head["epoch"]), int(head["at_ms"])),
    }


def test_visible_videos_are_counted_as_they_come_and_go(mapped):
    items = mapped(create=True)
    world = World(items=items)
    for step in range(6):
        world.post(*(video(f"v{n}") for n in range(step, step + 4)))
        world.take_down(f"v{step}")
        world.step()
        flags = items.items["flags"][: int(items.header["items"][0])]
        assert int(items.header["visible"][0]) == int(np.count_nonzero(flags & VISIBLE)) > 0
    items.header["visible"] = 99
    items.publish_all(world.state)
    assert int(items.header["visible"][0]) == int(np.count_nonzero(flags & VISIBLE))


def _expected(world: World) -> dict[str, bytes]:
    state = world.state
    return {
        "items": state.items.used().tobytes(),
        "authors": state.authors.used().tobytes(),
        "topics": state.topics.used().tobytes(),
        "trending": state.trending.top.tobytes(),
        "stands at": (state.epoch, state.at_ms),
    }


def test_a_new_file_is_empty_and_even(mapped):
    writer, reader = mapped(create=True), mapped()
    assert _whole(reader) == _whole(writer)
    assert reader.header["items"][0] == reader.sequence() == 0
    assert (reader.trending == -1).all()
    assert reader.trending.shape == (3, TRENDING_LIST)


@law(15)
@given(story=stories(4, 6))
def test_a_second_mapping_sees_each_epoch_whole(story, tmp_path_factory):
    path = tmp_path_factory.mktemp("shared") / "items.state"
    writer = SharedItems(path, **SIZES, create=True)
    reader = SharedItems(path, **SIZES, create=False)
    world = World(items=writer)
    tell(world, story)
    assert _whole(reader) == _expected(world)
    assert reader.sequence() == 2 * world.state.epoch
    writer.close()
    reader.close()


def test_another_process_sees_what_was_published(mapped, path):
    world = World(items=mapped(create=True))
    open_catalogue(world)
    script = (
        "import sys, hashlib\n"
        "from pathlib import Path\n"
        "from playbill.features.adapters.shared_items import SharedItems\n"
        "s = SharedItems(Path(sys.argv[1]), item_capacity=200, group_capacity=100, regions=2,"
        " create=False)\n"
        "n = int(s.header['items'][0])\n"
        "print(s.sequence(), n, hashlib.sha256(s.items[:n].tobytes()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    digest = hashlib.sha256(world.state.items.used().tobytes()).hexdigest()
    assert done.stdout.split() == ["2", "8", digest]


def test_recovery_brings_a_file_of_any_epoch_to_the_state(mapped, tmp_path):
    world = World(tmp_path, items=mapped(create=True))
    open_catalogue(world)
    writer = world.items
    writer.items[3]["slots"] = 99.0
    writer.authors[1]["landmark_ms"] = 99
    writer.topics[0]["slots"] = 99.0
    writer.trending[:] = 5
    writer.header["epoch"] = 77
    world.recover()
    assert _whole(mapped()) == _expected(world)


def test_recovery_touches_only_what_differs(mapped, tmp_path):
    class Counting:
        def __init__(self, below):
            self.below, self.changed = below, []

        def publish_all(self, state):
            publish, self.below.publish = self.below.publish, self._publish
            try:
                self.below.publish_all(state)
            finally:
                self.below.publish = publish

        def _publish(self, state, rows, lag_ms):
            self.changed.append([part.tolist() for part in rows])

        def publish(self, state, rows, lag_ms):
            self.below.publish(state, rows, lag_ms)

    counting = Counting(mapped(create=True))
    world = World(tmp_path, items=counting)
    open_catalogue(world)
    counting.below.items[3]["slots"] = 99.0
    world.recover()
    assert counting.changed == [[[3], [], []]]


def test_looking_on_while_an_epoch_is_written_a_reader_sees_an_odd_number_or_the_epoch(mapped):
    """A reader looks on after every instruction of the writer's Python code.

    Where the number is even, all is of one epoch; and however it stands, no counted row names a
    row that is not counted yet.
    """
    writer, reader = mapped(create=True), mapped()
    world = World(items=writer)
    open_catalogue(world)
    seen, epochs = [_whole(reader)], {_whole(reader)["stands at"]}
    numbers = []

    def look() -> None:
        numbers.append(reader.sequence())
        head = reader.header[0]
        listed = reader.items[: head["items"]]
        assert (listed["author"] < head["authors"]).all()
        named = listed["topics"][listed["topics"] != NO_TOPIC]
        assert (named < head["topics"]).all()
        if reader.sequence() % 2 == 0:
            whole = _whole(reader)
            if whole["stands at"] in epochs:
                assert whole in seen
            else:
                epochs.add(whole["stands at"])
                seen.append(whole)

    def trace(frame, event, argument):
        if frame.f_code is not SharedItems.publish.__code__:
            return None
        frame.f_trace_opcodes = True
        look()
        return trace

    for n in range(3):
        world.post(video(f"new {n}", f"author {n}", (f"topic {n}",)))
        world.act(world.event("like", "ann", f"v{n}"))
        sys.settrace(trace)
        try:
            world.step()
        finally:
            sys.settrace(None)
    assert seen[-1] == _expected(world)
    assert len(seen) == 4
    assert numbers == sorted(numbers)
    assert {number % 2 for number in numbers} == {0, 1}


def test_an_epoch_left_half_written_stays_odd_until_the_next_one(mapped, tmp_path):
    world = World(tmp_path, items=mapped(create=True))
    open_catalogue(world)
    world.items.header["sequence"] |= np.uint64(1)
    world.items = mapped(create=True)
    assert mapped().sequence() % 2 == 1
    world.recover()
    assert mapped().sequence() % 2 == 0
    assert _whole(mapped()) == _expected(world)


def test_a_mapping_that_is_dropped_or_refused_leaves_no_file_open(path, monkeypatch):
    """Workers map the file again whenever it was replaced, for as long as they live."""
    writer = SharedItems(path, **SIZES, create=True)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        SharedItems(path, **SIZES, create=False)
    with monkeypatch.context() as other:
        other.setattr(shared_items, "_layout_key", lambda: 7)
        with pytest.raises(DependencyUnavailable, match="laid out by another version"):
            SharedItems(path, **SIZES, create=False)
    assert len(os.listdir("/proc/self/fd")) == before
    writer.close()


def test_rows_are_reserved_before_they_are_written(tmp_path):
    sizes = {"item_capacity": 100_000, "group_capacity": 100, "regions": 1}
    writer = SharedItems(tmp_path / "items.state", **sizes, create=True)
    before = os.stat(tmp_path / "items.state").st_blocks * 512
    world = World(items=writer, settings=msgspec.structs.replace(SETTINGS, regions=("world",)))
    open_catalogue(world)
    after = os.stat(tmp_path / "items.state").st_blocks * 512
    assert after - before >= 16_384 * 128
    assert after < 100_000 * 128
    writer.close()


@pytest.mark.parametrize(
    ("sizes", "named"),
    [({"item_capacity": 7}, "8 items"), ({"group_capacity": 2}, "3 authors")],
)
def test_more_rows_than_there_is_room_for_are_refused_and_nothing_is_written(mapped, sizes, named):
    world = World(items=mapped(create=True, **sizes))
    with pytest.raises(DependencyUnavailable, match=f"{named}; there is room for") as refusal:
        open_catalogue(world)
    assert refusal.value.code == "item_capacity"
    assert "raise state." in refusal.value.hint
    with pytest.raises(DependencyUnavailable, match=named):
        world.items.publish_all(world.state)
    reader = mapped(**sizes)
    assert reader.sequence() == reader.header["items"][0] == 0


def test_a_file_system_without_room_is_told_before_anything_is_written(mapped, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    world = World(items=mapped(create=True))
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DependencyUnavailable, match="no shared memory for more rows: No space"):
        open_catalogue(world)
    assert mapped().sequence() == 0


@pytest.mark.parametrize("counted", [0, 3, 200])
def test_a_recovery_counts_visible_videos_whatever_was_counted_and_shown(mapped, tmp_path, counted):
    world = World(tmp_path, items=mapped(create=True))
    open_catalogue(world)
    world.items.items["flags"][:2] ^= VISIBLE
    world.items.header["items"] = min(counted, world.state.items.count + 1)
    world.recover()
    seen = int(np.count_nonzero(world.state.items.used()["flags"] & VISIBLE))
    assert int(mapped().header["visible"][0]) == seen > 0


def test_a_recovery_without_room_is_told_and_no_reader_sees_a_row(mapped, tmp_path, monkeypatch):
    world = World(tmp_path, items=mapped(create=True))
    open_catalogue(world)
    world.items.header["items"] = world.items.header["authors"] = 0
    before = world.items.sequence()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DependencyUnavailable, match="no shared memory for more rows: No space"):
        world.items.publish_all(world.state)
    reader = mapped()
    assert reader.sequence() == before
    assert reader.counts()[0] == 0


def test_a_recovery_into_a_new_file_is_whole_however_little_the_system_writes_at_once(
    mapped, tmp_path, monkeypatch
):
    world = World(tmp_path)
    open_catalogue(world)
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: write(file, data[:37], at))
    mapped(create=True).publish_all(world.state)
    reader = mapped()
    assert _whole(reader) == _expected(world)
    count = world.state.items.count
    assert reader.names[:count].tolist() == world.state.names.names[:count].tolist()
    assert int(reader.header["visible"][0]) == int(
        np.count_nonzero(world.state.items.used()["flags"] & VISIBLE)
    )


def test_a_reader_of_no_file_is_told_so(mapped):
    with pytest.raises(DependencyUnavailable, match="cannot be mapped: No such file"):
        mapped()


def test_a_reader_with_other_sizes_is_refused(mapped):
    mapped(create=True)
    with pytest.raises(DependencyUnavailable, match="bytes; these settings expect") as refusal:
        mapped(item_capacity=100_000)
    assert "restart playbill up" in refusal.value.hint


def test_a_file_of_other_definitions_is_refused_by_readers_and_replaced_by_the_writer(
    mapped, monkeypatch
):
    with monkeypatch.context() as other:
        other.setattr(shared_items, "features_digest", lambda: "sha256:" + "ab" * 32)
        before = mapped(create=True)
        open_catalogue(World(items=before))
    with pytest.raises(DependencyUnavailable, match="another version of the feature definitions"):
        mapped()
    assert mapped(create=True).header["items"][0] == 0
    reader = mapped()
    assert reader.header["items"][0] == reader.header["epoch"][0] == 0
    assert not before.present()


def test_a_file_that_is_none_of_ours_is_refused(mapped, path):
    mapped(create=True)
    path.write_bytes(b"\xa5" * path.stat().st_size)
    with pytest.raises(DependencyUnavailable, match="another version"):
        mapped()


def test_a_file_of_another_size_is_replaced_by_the_writer(mapped):
    before = mapped(create=True)
    mapped(create=True, item_capacity=100_000)
    assert not before.present()
    assert mapped(item_capacity=100_000).present()


def test_a_mapping_knows_that_its_file_was_replaced_or_deleted(mapped, path):
    items = mapped(create=True)
    assert items.present()
    path.rename(path.with_suffix(".kept"))
    assert not items.present()
    mapped(create=True)
    assert not items.present()


def test_a_file_that_is_there_is_mapped_as_it_is(mapped):
    world = World(items=mapped(create=True))
    open_catalogue(world)
    assert _whole(mapped(create=True)) == _expected(world)


def test_readers_cannot_write(mapped):
    mapped(create=True)
    reader = mapped()
    for array in (reader.items, reader.authors, reader.topics, reader.trending, reader.header):
        assert not array.flags.writeable


def test_only_this_user_can_read_the_file(mapped, path):
    mapped(create=True)
    assert path.stat().st_mode & 0o077 == 0


def test_what_is_in_use_is_read_as_the_header_names_it(mapped):
    writer = mapped(create=True)
    fields = ("items", "authors", "topics", "epoch", "at_ms")
    for number, name in enumerate((*fields, "sequence", "lag_ms", "visible"), start=3):
        writer.header[name] = number
    assert writer.counts() == tuple(int(writer.header[name][0]) for name in fields)
    assert mapped().sequence() == int(writer.header["sequence"][0])
