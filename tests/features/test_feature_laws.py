"""Laws of every definition, told once: they hold for whatever the list of features becomes."""

from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import (
    VIDEOS,
    VIEWERS,
    Epochs,
    law,
    open_catalogue,
    stories,
    tell,
)
from laws.feature_worlds import START_MS, World, user_key, video
from playbill.contracts import User
from playbill.core import DAY_MS, HOUR_MS, SECOND_MS, BrokenContract, key64
from playbill.features import (
    FEATURE_NAMES,
    FEATURES,
    Assembler,
    features_digest,
    hours_of_day,
    seen_before,
    tables_of,
)
from playbill.features.definitions import DAYS, Fact, FactKind, Rate, Scope, Signal, Volume
from playbill.features.layout import HISTORY, LIKED, SLOTS
from playbill.features.reference import NaiveState, Viewer

ROUNDING = 2e-5
"""Relative. No sum here has over 100 events, each rounds it twice to 24 bits, and nothing
cancels: 200 x 2^-24 = 1.2e-5."""
CENTRES = 1e-6
"""Absolute, for numbers near 0: log1p is right to 1e-8, and float32 rounds what is below 1."""


def _told(story: Epochs) -> World:
    world = World()
    tell(world, story)
    return world


def _naive(world: World) -> NaiveState:
    naive = NaiveState(world.settings)
    for content in world.contents():
        naive.absorb(content)
    return naive


def _read(world: World, viewer: str, at_ms: int | None = None) -> np.ndarray:
    rows = np.arange(world.state.items.count)
    now_ms = world.state.at_ms if at_ms is None else at_ms
    return Assembler().read(tables_of(world.state), rows, world.viewer(viewer), now_ms)


def _feature(world: World, name: str, viewer: str = "ann", of: str = "v0") -> float:
    return float(_read(world, viewer)[world.row(of), FEATURE_NAMES.index(name)])


def _one_video() -> World:
    world = World()
    world.post(video("v0"))
    world.step()
    return world


@law(35)
@given(story=stories(), later_ms=st.sampled_from([0, 1, HOUR_MS, 90 * DAY_MS]))
def test_streaming_equals_the_naive_definition_for_every_feature(story, later_ms):
    world = _told(story)
    _assert_naive(world, [*VIEWERS, "eve"], world.state.at_ms + later_ms)


def _assert_naive(world: World, viewers: list[str], at_ms: int) -> None:
    naive = _naive(world)
    keys = world.state.items.used()["key"].tolist()
    for viewer in viewers:
        features = _read(world, viewer, at_ms)
        expected = [naive.read(user_key(viewer), key, at_ms) for key in keys]
        for name, column in zip(FEATURE_NAMES, features.T, strict=True):
            wanted = [values[name] for values in expected]
            np.testing.assert_allclose(column, wanted, ROUNDING, CENTRES, err_msg=name)


@law(8)
@given(seed=st.integers(0, 1 << 32), count=st.integers(20, 70))
def test_a_viewer_of_many_videos_reads_as_the_naive_definition_says(seed, count):
    """Histories beyond what is recent and beyond what is kept; tables that just hold."""
    random = np.random.default_rng(seed)
    world = World()
    names = [f"w{n}" for n in range(45)]
    world.post(
        *(
            video(name, f"author {n % 12}", (f"topic {n % 15}", f"topic {(n + 1) % 16}"))
            for n, name in enumerate(names)
        )
    )
    world.step()
    for n in range(count):
        kind = ("impression", "click", "watch", "like", "hide")[random.integers(5)]
        at_ms = world.clock.now_ms() - int(random.integers(3)) * 40 * SECOND_MS
        watch_ms = int(random.integers(90)) * SECOND_MS
        event = world.event(kind, "ann", names[random.integers(45)], at=at_ms, watch_ms=watch_ms)
        world.act(event)
        if n % 4 == 0:
            world.step(7 * SECOND_MS)
    world.step()
    _assert_naive(world, ["ann"], world.state.at_ms)


@law(40)
@given(story=stories())
def test_history_follows_and_facts_are_what_the_naive_definition_says(story):
    world = _told(story)
    naive = _naive(world)
    videos, authors = world.state.items.used()["key"], world.state.authors.used()["key"]
    for name in (*VIEWERS, "eve"):
        row, viewer = world.viewer(name)[0], naive.viewers.get(user_key(name), Viewer())
        count = row["history_count"]
        entries = zip(row["history"], row["history_at_s"], row["history_action"], strict=True)
        kept = [(int(videos[r]), int(at_s), int(acts)) for r, at_s, acts in list(entries)[:count]]
        assert kept == [(entry.video, entry.at_s, entry.actions) for entry in viewer.history]
        follows = row["follows"][: row["follow_count"]]
        assert [int(authors[author]) for author in follows] == viewer.follows
        assert (row["first_at_ms"], row["last_at_ms"]) == (viewer.first_at_ms, viewer.last_at_ms)
        assert (row["region"], row["age"]) == (
            viewer.region,
            255 if viewer.age is None else viewer.age,
        )
        remembered = {int(key) for r, key in enumerate(videos) if seen_before(row, np.int64(r))}
        assert remembered == viewer.seen


@law(60)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(
                ["impression", "click", "watch", "like", "share", "comment", "skip", "hide"]
            ),
            st.sampled_from(VIEWERS[:2]),
            st.sampled_from(VIDEOS),
        ),
        max_size=20,
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_the_order_within_an_epoch_changes_rounding_and_nothing_else(acts, shuffled):
    """The log fixes the order; it shows in ties only.

    Those are: two videos acted upon in one second, two follows, two regions of one instant, two
    posts of one video, and what a full table of the viewer's row lets go.
    """
    worlds = []
    for shuffle in (lambda happened: None, shuffled.shuffle):
        world = World()
        open_catalogue(world)
        happened = [
            world.event(
                kind, viewer, of, at=START_MS - n * 7 * 60 * SECOND_MS, watch_ms=n * SECOND_MS
            )
            for n, (kind, viewer, of) in enumerate(acts)
        ]
        shuffle(happened)
        if happened:
            world.act(*happened)
        world.step()
        worlds.append(world)
    for viewer in VIEWERS[:2]:
        ours, theirs = (_read(world, viewer, START_MS + HOUR_MS) for world in worlds)
        np.testing.assert_allclose(ours, theirs, 2 * ROUNDING, CENTRES)
        ours, theirs = (world.viewer(viewer) for world in worlds)
        for name in ("first_at_ms", "last_at_ms", "history", "history_at_s", "history_action"):
            assert ours[name].tolist() == theirs[name].tolist()
        assert ours["seen"].tolist() == theirs["seen"].tolist()


SUMS = [feature for feature in FEATURES if not isinstance(feature, Fact)]


@pytest.mark.parametrize("feature", SUMS, ids=lambda feature: feature.name)
@pytest.mark.parametrize("late_ms", [0, 20 * 60_000, 5 * HOUR_MS, 3 * DAY_MS])
def test_a_late_event_weighs_what_it_would_weigh_by_now_had_it_come_in_time(feature, late_ms):
    kinds = {
        Signal.IMPRESSION: "impression",
        Signal.CLICK: "click",
        Signal.LONG_VIEW: "watch",
        Signal.LIKE: "like",
        Signal.ENGAGE: "share",
        Signal.NEGATIVE: "hide",
        Signal.WATCH_S: "watch",
        Signal.SKIP: "skip",
    }
    worlds = _one_video(), _one_video()
    at_ms = worlds[0].clock.now_ms()
    for world, wait_ms in zip(worlds, (0, late_ms), strict=True):
        world.clock.advance(wait_ms)
        event = world.event(kinds[feature.of], "ann", "v0", at=at_ms, watch_ms=30_000)
        world.act(event)
        world.step()
    read_at_ms = worlds[1].state.at_ms + HOUR_MS
    column = FEATURE_NAMES.index(feature.name)
    in_time, late = (float(_read(world, "ann", read_at_ms)[0, column]) for world in worlds)
    stranger = float(_read(worlds[0], "nobody", read_at_ms)[0, column])
    assert late == pytest.approx(in_time, rel=ROUNDING)
    if feature.slots()[0].scope in (Scope.USER, Scope.USER_TOPIC, Scope.USER_AUTHOR):
        assert in_time != stranger


@pytest.mark.parametrize("feature", SUMS, ids=lambda feature: feature.name)
def test_the_weight_of_an_event_halves_with_every_half_life(feature):
    world = _one_video()
    slot = feature.slots()[0]
    place = SLOTS[slot.scope].index(slot)
    kind = {Signal.LONG_VIEW: "watch", Signal.WATCH_S: "watch", Signal.ENGAGE: "share"}
    kind = kind.get(slot.signal, slot.signal.name.lower()).replace("negative", "hide")
    for _ in range(2):
        world.clock.advance(slot.half_life_s * SECOND_MS)
        world.act(world.event(kind, "ann", "v0", watch_ms=600_000))
        world.step(0)
    user, state = world.viewer("ann")[0], world.state
    sums = {
        Scope.ITEM: state.items.records[0]["slots"],
        Scope.AUTHOR: state.authors.records[0]["slots"],
        Scope.TOPIC: state.topics.records[0]["slots"],
        Scope.USER: user["slots"],
        Scope.USER_TOPIC: user["topic_slots"][0],
        Scope.USER_AUTHOR: user["author_slots"][0],
    }[slot.scope]
    gain = 600.0 if slot.signal is Signal.WATCH_S else 1.0
    assert float(sums[place]) == pytest.approx(gain / 2 + gain, rel=ROUNDING)


def test_a_late_deed_takes_its_place_in_the_history_by_its_own_instant():
    world = World()
    open_catalogue(world)
    now_ms = world.clock.now_ms()
    for name, back_s in (("v0", 10), ("v1", 30), ("v2", 20)):
        world.act(world.event("click", "ann", name, at=now_ms - back_s * SECOND_MS))
        world.step()
    row = world.viewer("ann")[0]
    newest = [world.row(name) for name in ("v0", "v2", "v1")]
    assert row["history"][: row["history_count"]].tolist() == newest
    assert row["last_at_ms"] == now_ms - 10 * SECOND_MS


def test_a_deed_older_than_a_full_history_is_not_remembered_but_still_counted():
    world = World()
    names = [f"w{n}" for n in range(HISTORY + 2)]
    world.post(*(video(name) for name in names))
    world.step()
    now_ms = world.clock.now_ms()
    for n, name in enumerate(names[:HISTORY]):
        world.act(world.event("click", "ann", name, at=now_ms - n * SECOND_MS))
    world.step()
    before = world.viewer("ann")[0]["history"].tolist()
    world.act(world.event("like", "ann", names[HISTORY], at=now_ms - HISTORY * SECOND_MS))
    world.step()
    assert world.viewer("ann")[0]["history"].tolist() == before
    assert _feature(world, "user_topic_likes") > 0.0
    world.act(world.event("like", "ann", names[HISTORY + 1], at=now_ms))
    world.step()
    row = world.viewer("ann")[0]
    assert row["history"].tolist() == [world.row(names[HISTORY + 1]), *before[:-1]]
    assert row["history_action"][0] == LIKED


def test_an_event_stored_by_a_clock_ahead_of_the_updaters_counts_as_now():
    world = _one_video()
    world.clock.advance(HOUR_MS)
    world.act(world.event("click", "ann", "v0"))
    world.serve("bob", ["v0"])
    world.clock.advance(-HOUR_MS)
    world.step(0)
    for viewer in ("ann", "bob"):
        assert world.viewer(viewer)["last_at_ms"][0] == world.state.at_ms
    assert world.state.items.records["landmark_ms"][0] == world.state.at_ms


@pytest.mark.parametrize(
    ("watch_ms", "said", "duration_ms", "is_long"),
    [
        (17_999, None, 60_000, False),
        (18_000, None, 60_000, True),
        (7_999, None, 8_000, False),
        (8_000, None, 8_000, True),
        (0, None, 60_000, False),
        (60_000, False, 60_000, False),
        (0, True, 60_000, True),
    ],
)
def test_a_long_view_is_18_seconds_or_the_whole_video_unless_the_platform_says(
    watch_ms, said, duration_ms, is_long
):
    world = World()
    world.post(video("v0", duration_ms=duration_ms))
    world.act(world.event("watch", "ann", "v0", watch_ms=watch_ms, long_view=said))
    world.step()
    assert (_feature(world, "user_topic_long_views") > 0.0) is is_long
    assert _feature(world, "recent_long") == float(is_long)


def test_a_watch_counts_ten_minutes_at_most():
    world = _one_video()
    world.act(world.event("watch", "ann", "v0", watch_ms=5_000_000))
    world.step(0)
    assert _feature(world, "item_watch_s_14d") == pytest.approx((600.0 + 15.0 * 5) / 5, rel=1e-5)


def test_reading_before_what_the_row_already_holds_is_refused():
    world = _one_video()
    world.act(world.event("click", "ann", "v0"))
    world.step()
    last_ms = int(world.viewer("ann")["last_at_ms"][0])
    _read(world, "ann", last_ms)
    with pytest.raises(BrokenContract, match=f"read at {last_ms - 1}, before {last_ms}"):
        _read(world, "ann", last_ms - 1)


def _changed(feature):
    """Yield the feature with each of its parameters changed in turn."""
    others = {
        Scope: lambda value: Scope((value + 1) % len(Scope)),
        Signal: lambda value: Signal((value + 1) % len(Signal)),
        FactKind: lambda value: FactKind((value + 1) % len(FactKind)),
        str: lambda value: value + "x",
    }
    for field in fields(feature):
        value = getattr(feature, field.name)
        change = others.get(type(value), lambda value: value + 1)
        yield replace(feature, **{field.name: change(value)})


@pytest.mark.parametrize("place", range(len(FEATURES)), ids=FEATURE_NAMES)
def test_a_changed_parameter_is_another_feature(place):
    for other in _changed(FEATURES[place]):
        changed = (*FEATURES[:place], other, *FEATURES[place + 1 :])
        assert features_digest(changed) != features_digest()


def test_order_and_kind_of_features_are_part_of_the_digest():
    a, b = Volume("a", Scope.ITEM, Signal.LIKE, DAYS), Volume("b", Scope.ITEM, Signal.LIKE, DAYS)
    assert features_digest((a, b)) != features_digest((b, a))
    assert features_digest((a,)) != features_digest((a, b))
    assert features_digest((a,)) == features_digest((replace(a),))


def test_names_of_features_are_unique():
    assert len(set(FEATURE_NAMES)) == len(FEATURES)


@law(40)
@given(story=stories(3, 6))
def test_many_requests_read_at_once_read_as_each_alone(story):
    world = _told(story)
    count = world.state.items.count
    lists = [np.arange(count)[n::3] for n in range(3)] + [np.empty(0, np.int64)]
    names = [*VIEWERS[:3], "nobody"]
    users = np.concatenate([world.viewer(name) for name in names])
    at_ms = world.state.at_ms + np.array([0, 17, HOUR_MS, DAY_MS])
    starts = np.cumsum([0, *(len(rows) for rows in lists)])
    tables, assembler = tables_of(world.state), Assembler()
    together = assembler.read_many(tables, np.concatenate(lists), starts, users, at_ms)
    for n, rows in enumerate(lists):
        alone = assembler.read(tables, rows, users[n : n + 1], int(at_ms[n]))
        assert together[starts[n] : starts[n + 1]].tobytes() == alone.tobytes()


def test_no_request_of_many_may_read_before_what_its_viewers_row_holds():
    world = _one_video()
    world.act(world.event("click", "ann", "v0"))
    world.step()
    users = np.concatenate([world.viewer("nobody"), world.viewer("ann")])
    last_ms = int(users["last_at_ms"][1])
    rows, starts = np.zeros(2, np.int64), np.array([0, 1, 2])
    read = partial(Assembler().read_many, tables_of(world.state), rows, starts, users)
    assert len(read(np.array([0, last_ms]))) == 2
    with pytest.raises(BrokenContract, match=f"read at {last_ms - 1}, before {last_ms}"):
        read(np.array([0, last_ms - 1]))


def test_more_candidates_than_the_buffer_holds_are_read_all_the_same():
    world = _told([])
    rows = np.arange(8).repeat(5)
    tables, user = tables_of(world.state), world.viewer("ann")
    small = Assembler(largest=3).read(tables, rows, user, world.state.at_ms)
    assert small.tobytes() == Assembler().read(tables, rows, user, world.state.at_ms).tobytes()


@pytest.mark.parametrize(
    ("at_ms", "hour"),
    [(0, 0), (3_599_999, 0), (3_600_000, 1), (START_MS, 22), (2 * DAY_MS - 1, 23)],
)
def test_the_hour_of_the_day_is_told_in_utc(at_ms, hour):
    angle = 2.0 * np.pi * hour / 24.0
    np.testing.assert_allclose(
        hours_of_day(np.array([at_ms]))[0], [np.sin(angle), np.cos(angle)], atol=1e-15
    )


def test_a_stranger_reads_as_the_priors_say():
    world = _one_video()
    features = dict(zip(FEATURE_NAMES, _read(world, "nobody")[0].tolist(), strict=True))
    for feature in FEATURES:
        if isinstance(feature, Rate):
            assert features[feature.name] == pytest.approx(feature.prior)
        elif isinstance(feature, Volume):
            assert features[feature.name] == 0.0
    assert features["user_tenure"] == features["user_idle"] == 0.0
    assert features["language_match"] == 0.5


def test_client_impressions_of_our_own_feeds_are_viewability_and_count_nothing():
    world = World()
    open_catalogue(world)
    before = world.state.items.used().tobytes()
    world.act(world.event("impression", "ann", "v0", request_id=world.request_id()))
    report = world.step()
    assert (report.events, report.viewability) == (0, 1)
    assert world.state.items.used().tobytes() == before
    assert list(world.users.rows()) == []


@pytest.mark.parametrize("request_id", [None, "8000000000000000", "ffffffffffffffff"])
def test_impressions_of_foreign_feeds_are_exposures(request_id):
    world = World()
    open_catalogue(world)
    world.act(world.event("impression", "ann", "v0", request_id=request_id))
    report = world.step()
    assert (report.events, report.viewability) == (1, 0)
    assert _feature(world, "user_impressions_14d") > 0.6


def test_a_served_feed_counts_every_place_once():
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v0", "v1", "v1"], region=2)
    assert world.step(0).events == 3
    assert _feature(world, "item_impressions_14d") == pytest.approx(np.log(2.0), rel=1e-6)
    assert _feature(world, "item_impressions_14d", of="v1") == pytest.approx(np.log(3.0), rel=1e-6)
    row = world.viewer("ann")[0]
    assert (row["region"], row["seen_count"], row["history_count"]) == (2, 2, 0)


def test_an_unknown_video_counts_for_the_viewer_only_and_is_reported():
    world = World()
    open_catalogue(world)
    before = world.state.items.used().tobytes()
    world.act(world.event("click", "ann", "never posted"), world.event("search", "ann"))
    assert world.step().unknown_videos == 1
    assert world.state.items.used().tobytes() == before
    assert _feature(world, "user_click_rate_14d") > 0.3
    assert world.viewer("ann")["history_count"][0] == 0


def test_an_author_is_followed_by_a_video_and_by_name_posted_or_not():
    world = World()
    open_catalogue(world)
    world.act(
        world.event("follow", "ann", author_id="ben"),
        world.event("follow", "ann", "v2"),
        world.event("follow", "ann", author_id="nobody yet"),
    )
    assert world.step().unknown_authors == 0
    row = world.viewer("ann")[0]
    followed = [world.state.authors.row(key64(name)) for name in ("nobody yet", "cy", "ben")]
    assert min(followed) >= 0
    assert row["follows"][: row["follow_count"]].tolist() == followed
    assert _feature(world, "follows_author", of="v2") == 1.0
    assert _feature(world, "follows_author", of="v0") == 0.0


@pytest.mark.parametrize("told", [True, False], ids=["by the platform", "by an event"])
def test_a_follow_that_comes_before_the_authors_first_video_is_kept(told):
    world = World()
    open_catalogue(world)
    if told:
        world.tell(User(user_id="ann", follows=["dee"]))
    else:
        world.act(world.event("follow", "ann", author_id="dee"))
    world.step()
    world.post(video("v9", "dee"))
    world.step()
    assert _feature(world, "follows_author", of="v9") == 1.0
    assert _feature(world, "follows_author", of="v0") == 0.0
    world.assert_replay_is_live()


def test_facts_of_a_viewer_replace_what_they_name_and_leave_the_rest():
    world = World()
    open_catalogue(world)
    world.tell(User(user_id="ann", region="south", language="de-AT", age=15, follows=["ada", "cy"]))
    world.step()
    world.tell(User(user_id="ann", age=16))
    world.step()
    row = world.viewer("ann")[0]
    assert (row["region"], row["age"], row["follow_count"]) == (2, 16, 2)
    assert _feature(world, "language_match", of="v2") == 1.0
    assert _feature(world, "language_match", of="v1") == 0.0
    world.tell(User(user_id="ann", follows=[]))
    world.step()
    assert world.viewer("ann")[0]["follow_count"] == 0
    assert row["first_at_ms"] == world.viewer("ann")["first_at_ms"][0]


def test_interests_stand_in_for_a_first_few_watches():
    world = World()
    open_catalogue(world)
    world.tell(User(user_id="ann", interests=["tea", "a topic of no video"]))
    world.step(0)
    assert _feature(world, "user_topic_click_rate") == pytest.approx(3.9 / 7.0, rel=1e-5)
    assert _feature(world, "user_topic_long_views") == pytest.approx(np.log(4.0), rel=1e-5)
    assert _feature(world, "user_topic_likes") == 0.0
    assert _feature(world, "user_topic_click_rate", of="v5") == pytest.approx(0.3)


def test_interests_told_years_after_the_last_event_stay_finite():
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"))
    world.step()
    world.clock.advance(9 * 365 * DAY_MS)
    world.tell(User(user_id="ann", interests=["tea"]))
    world.step()
    assert np.isfinite(_read(world, "ann")).all()
    assert _feature(world, "user_topic_click_rate") == pytest.approx(3.9 / 7.0, rel=1e-5)
    world.act(world.event("like", "ann", "v0"))
    world.step()
    assert np.isfinite(_read(world, "ann")).all()


def test_facts_of_a_clock_that_was_set_back_do_not_lie_after_the_epoch():
    world = World()
    open_catalogue(world)
    world.clock.advance(HOUR_MS)
    world.tell(User(user_id="ann", age=30))
    world.clock.advance(-HOUR_MS)
    world.step()
    assert world.viewer("ann")["last_at_ms"][0] <= world.state.at_ms
    world.assert_replay_is_live()
