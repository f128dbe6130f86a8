"""Features of the past: recomputed from the log, they are what was read at the time."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import (
    VIDEOS,
    VIEWERS,
    acts,
    law,
    open_catalogue,
    steps,
    stories,
    tell,
)
from laws.feature_worlds import SETTINGS, World
from playbill.core import HOUR_MS, key64
from playbill.events import Impressions
from playbill.features import (
    FEATURE_NAMES,
    FEATURES,
    Assembler,
    ExposureFeatures,
    Replay,
    ServedFeatures,
    empty_user,
    tables_of,
)
from playbill.features.definitions import Fact, FactKind, Scope
from playbill.features.point_in_time import Block

OF_THE_VIEWER = [
    place
    for place, feature in enumerate(FEATURES)
    if (
        feature.fact
        in (FactKind.USER_TENURE, FactKind.USER_IDLE, FactKind.HOUR_SIN, FactKind.HOUR_COS)
        if isinstance(feature, Fact)
        else feature.scope is Scope.USER
    )
]

slates = st.lists(st.sampled_from(VIDEOS), min_size=1, max_size=5, unique=True)
served = st.tuples(st.sampled_from((*VIEWERS, "stranger")), slates, st.integers(0, 900))
moments = st.lists(
    st.tuples(
        st.sampled_from([100, 10_000, HOUR_MS, 30 * HOUR_MS]),
        st.lists(steps, max_size=4),
        st.lists(served, max_size=2),
    ),
    min_size=1,
    max_size=5,
)


def _impressions(world: World) -> Impressions:
    parts = [part for content in world.contents() for part in content.impressions]
    return Impressions(
        np.concatenate([part.requests for part in parts]),
        np.concatenate([part.shown for part in parts]),
    )


def _recomputed(world: World, impressions: Impressions) -> list[Block]:
    served, replay = ServedFeatures(impressions), Replay.from_nothing(world.log, SETTINGS)
    blocks = []
    for content in replay.contents():
        replay.fold(content)
        block = served.visit(replay.state, replay.users)
        if block is not None:
            blocks.append(block)
    return blocks


@law(40)
@given(moments=moments)
def test_served_features_are_recomputed_to_the_bit(moments):
    world, live = World(), {}
    open_catalogue(world)
    for after_ms, happenings, feeds in moments:
        world.clock.advance(after_ms)
        for happening in happenings:
            happening.do(world)
        for viewer, videos, wait_ms in feeds:
            world.clock.advance(wait_ms)
            request, features = world.rank(viewer, videos)
            live[request] = (videos, features)
        world.step(0)
    if not live:
        return
    impressions = _impressions(world)
    found = {}
    for block in _recomputed(world, impressions):
        assert (np.diff(block.owner) >= 0).all()
        for owner, place, features, at_ms in zip(
            block.owner, block.place, block.features, block.at_ms, strict=True
        ):
            head = impressions.requests[owner]
            assert at_ms == head["at_ms"]
            shown = int(impressions.shown["video"][place])
            found[int(head["request"]), shown] = features.tobytes()
    expected = {
        (request, key64(name)): features[n].tobytes()
        for request, (videos, features) in live.items()
        for n, name in enumerate(videos)
    }
    assert {key: found[key] for key in expected} == expected


def _with_feed(epochs=None, personalised=True) -> tuple[World, np.ndarray, np.ndarray]:
    """Return a world in which ann was served v0 and v1, and her rows of two epochs."""
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"))
    world.step()
    early = world.viewer("ann")
    world.act(world.event("like", "ann", "v1"))
    world.step()
    late = world.viewer("ann")
    world.serve("ann", ["v0", "v1"], epochs=epochs, personalised=personalised)
    world.step()
    return world, early, late


def _read(world: World, epoch: int, user: np.ndarray, at_ms: int) -> bytes:
    replay = Replay.from_nothing(world.log, SETTINGS)
    replay.run(up_to=epoch)
    rows = np.array([world.row("v0"), world.row("v1")])
    return Assembler().read(tables_of(replay.state), rows, user, at_ms).tobytes()


def test_a_viewer_whose_row_was_older_than_the_items_is_read_so():
    world, early, _ = _with_feed(epochs=(3, 2))
    (block,) = _recomputed(world, _impressions(world))
    assert block.features.tobytes() == _read(world, 3, early, int(block.at_ms[0]))


def test_an_unsettled_request_is_read_at_the_later_of_its_two_epochs():
    world, _, late = _with_feed(epochs=(2, 3))
    (block,) = _recomputed(world, _impressions(world))
    assert block.features.tobytes() == _read(world, 3, late, int(block.at_ms[0]))


def test_a_viewer_nobody_had_met_is_read_as_empty():
    world, _, _ = _with_feed(epochs=(3, 0))
    (block,) = _recomputed(world, _impressions(world))
    assert block.features.tobytes() == _read(world, 3, empty_user(), int(block.at_ms[0]))


def test_a_feed_without_personalisation_is_read_with_an_empty_row():
    world, _, _ = _with_feed(epochs=(3, 3), personalised=False)
    (block,) = _recomputed(world, _impressions(world))
    assert block.features.tobytes() == _read(world, 3, empty_user(), int(block.at_ms[0]))


def test_a_shown_video_that_item_state_does_not_know_is_left_out():
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v0", "never posted", "v2"])
    world.step()
    (block,) = _recomputed(world, _impressions(world))
    assert block.rows.tolist() == [world.row("v0"), world.row("v2")]
    assert block.place.tolist() == [0, 2]


exposures = st.builds(
    replace,
    acts,
    kind=st.sampled_from(["impression", "impression", "click"]),
    viewer=st.sampled_from(VIEWERS[:2]),
    late_ms=st.sampled_from([0, 1, 2_000, 8_000, 3 * HOUR_MS]),
)


@law(40)
@given(story=stories(3, 6), about=st.lists(exposures, min_size=2, max_size=12))
def test_exposures_are_read_from_the_epoch_before_one_snapshot_a_viewer(story, about):
    world = World()
    tell(world, story)
    world.clock.advance(9_000)
    for act in about:
        act.do(world)
    before = world.replayed()
    world.step()
    (content,) = list(before.contents())
    events = content.event_records()
    block = ExposureFeatures().read(before.state, before.users, events)
    exposed = [
        n
        for n, event in enumerate(events)
        if event["kind"] == 1
        and not 0 < event["request"] < 1 << 63
        and before.state.items.row(int(event["video"])) >= 0
    ]
    if block is None:
        assert exposed == []
        return
    assert sorted(block.owner.tolist()) == exposed
    assert (block.place == -1).all()
    for viewer in {events["user"][n].tobytes() for n in exposed}:
        mine = [n for n in exposed if events["user"][n].tobytes() == viewer]
        first_ms = max(int(events["at_ms"][mine].min()), before.state.at_ms)
        data = before.users.read(viewer)[0]
        user = empty_user() if data is None else np.frombuffer(data, empty_user().dtype)
        places = [block.owner.tolist().index(n) for n in mine]
        rows = np.array([before.state.items.row(int(events["video"][n])) for n in mine])
        alone = Assembler().read(tables_of(before.state), rows, user, first_ms)
        assert block.features[places].tobytes() == alone.tobytes()
        assert (block.at_ms[places] == first_ms).all()
        assert (block.rows[places] == rows).all()


def test_what_belongs_to_the_viewer_is_equal_within_a_slate():
    """A feature that tells two places of one slate apart by their order would leak the outcome."""
    world = World()
    open_catalogue(world)
    for n in range(9):
        world.act(world.event("click", "ann", f"v{n % 5}"))
        world.step(HOUR_MS)
    for n, name in enumerate(VIDEOS):
        world.act(world.event("impression", "ann", name, at=world.clock.now_ms() - n * 10_000))
        world.act(world.event("click", "ann", name), into="web-2")
    before = world.replayed()
    world.step()
    (content,) = list(before.contents())
    block = ExposureFeatures().read(before.state, before.users, content.event_records())
    assert len(block.features) == len(VIDEOS)
    assert len(OF_THE_VIEWER) >= 14
    for place in OF_THE_VIEWER:
        assert len(set(block.features[:, place].tolist())) == 1, FEATURE_NAMES[place]


def test_an_epoch_without_exposures_has_no_features():
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"), world.event("impression", "ann", "never posted"))
    before = world.replayed()
    world.step()
    (content,) = list(before.contents())
    assert ExposureFeatures().read(before.state, before.users, content.event_records()) is None
