"""Ids by row: what feeds call a video."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_worlds import World, video
from playbill.features.adapters.shared_items import SharedItems
from playbill.features.layout import NAME_BYTES
from playbill.features.names import VideoNames
from playbill.retrieval import view_of

SIZES = {"item_capacity": 200, "group_capacity": 100, "regions": 2}
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=NAME_BYTES + 5)


@given(st.lists(names, min_size=1, max_size=30), st.integers(0, 10_000))
def test_an_id_comes_back_as_it_was_unless_it_is_too_long(ids, first):
    kept = VideoNames()
    kept.put(np.arange(first, first + len(ids)), ids)
    found = [name.decode() for name in kept.names[first : first + len(ids)].tolist()]
    kept_whole = [len(name.encode()) <= NAME_BYTES and not name.endswith("\0") for name in ids]
    assert found == [name if whole else "" for name, whole in zip(ids, kept_whole, strict=True)]
    assert not any(kept.names[:first])
    again = VideoNames()
    again.restore(kept.names[: first + len(ids)])
    assert again.names[: first + len(ids)].tobytes() == kept.names[: first + len(ids)].tobytes()


def named(shared) -> list[str]:
    return [name.decode() for name in view_of(shared).names.tolist()]


def test_whoever_maps_item_state_knows_the_names_of_every_epoch(tmp_path):
    writer = SharedItems(tmp_path / "items", **SIZES, create=True)
    reader = SharedItems(tmp_path / "items", **SIZES, create=False)
    world = World(items=writer)
    world.post(video("first"), video("second"))
    world.step()
    assert named(reader) == ["first", "second"]
    world.post(video("second"), video("third" * 20), video("fourth"))
    world.step()
    assert named(reader) == ["first", "second", "", "fourth"]


def test_names_come_back_with_a_checkpoint_where_the_file_is_gone(tmp_path):
    writer = SharedItems(tmp_path / "items", **SIZES, create=True)
    world = World(items=writer)
    world.post(*(video(f"v{number}") for number in range(20)))
    world.step()
    fresh = SharedItems(tmp_path / "others", **SIZES, create=True)
    fresh.publish_all(world.state)
    assert named(fresh) == named(writer)
    fresh.names[3] = b"damaged"
    fresh.publish_all(world.state)
    assert named(fresh) == named(writer)
