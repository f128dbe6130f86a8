"""A video that the fold would leave out is refused before it is answered with a 202."""

import msgspec
import pytest

from laws.feature_worlds import SETTINGS, World, video
from playbill.contracts.settings import StateSettings
from playbill.core import DependencyUnavailable
from playbill.features.adapters.shared_items import SharedItems
from playbill.serving.catalogue_guard import CatalogueGuard
from playbill.serving.feed_service import ServingState
from playbill.serving.texts import Texts

VIDEOS, AUTHORS = 4, 3


@pytest.fixture
def world(tmp_path):
    items = SharedItems(
        tmp_path / "items.state",
        item_capacity=VIDEOS,
        group_capacity=AUTHORS,
        regions=len(SETTINGS.regions),
        create=True,
    )
    room = StateSettings(item_capacity=VIDEOS, group_capacity=AUTHORS)
    yield World(items=items, settings=msgspec.structs.replace(SETTINGS, state=room))
    items.close()


@pytest.fixture
def guard(world):
    state = ServingState(world.items, None, None, "no_bundle", {})
    return CatalogueGuard(state, Texts(world.users.texts), VIDEOS)


def post(world, *videos):
    world.post(*videos)
    return world.step()


def test_authors_beyond_the_room_are_refused_and_known_ones_are_not(world, guard):
    post(world, video("v0", "ada"), video("v1", "ben"))
    guard.check([video("v2", "cy"), video("v3", "cy")])
    with pytest.raises(DependencyUnavailable, match="knows 2 authors and has room for 3") as full:
        guard.check([video("v2", "cy"), video("v3", "dee")])
    assert (full.value.code, "state.group_capacity" in full.value.hint) == ("item_capacity", True)
    post(world, video("v2", "cy"))
    guard.check([video("v0", "ben"), video("v3", "ada")])
    with pytest.raises(DependencyUnavailable, match="knows 3 authors"):
        guard.check([video("v0", "dee")])


def test_videos_beyond_the_room_are_refused_and_known_ones_are_not(world, guard):
    post(world, *(video(f"v{n}") for n in range(VIDEOS)))
    guard.check([video("v0"), video("v3")])
    with pytest.raises(DependencyUnavailable, match="holds 4 videos and has room for 4") as full:
        guard.check([video("v0"), video("v4")])
    assert "state.item_capacity" in full.value.hint


@pytest.mark.parametrize("author", ["ada", "dee"])
def test_what_the_guard_lets_through_the_fold_has_room_for(world, guard, author):
    post(world, video("v0", "ada"), video("v1", "ben"), video("v2", "cy"))
    asked = video("v3", author)
    try:
        guard.check([asked])
    except DependencyUnavailable:
        assert post(world, asked).videos_without_room == 1
    else:
        assert post(world, asked).videos_without_room == 0


def test_a_state_that_is_not_mapped_yet_leaves_it_to_the_fold_to_count(world):
    state = ServingState(None, None, None, "no_bundle", {})
    unmapped = CatalogueGuard(state, Texts(world.users.texts), VIDEOS)
    asked = [video(f"v{n}") for n in range(VIDEOS + 2)]
    unmapped.check(asked)
    assert post(world, *asked).videos_without_room == 2
