"""Replay equals live, bit for bit, whatever dies in between."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue, stories, tell
from laws.feature_worlds import CATALOGUE, SETTINGS, TAKEDOWNS, MemoryItems, World, video
from playbill.contracts import AdmissionSettings, EpochSettings, User
from playbill.core import DAY_MS, HOUR_MS, DependencyUnavailable, key64
from playbill.features import MemoryUserState, checkpoint, state_digest, video_text_key
from playbill.features.adapters.lmdb_users import LmdbUserState
from playbill.features.checkpoint import CHECKPOINT_FILE
from playbill.features.layout import VISIBLE


class Killed(Exception):
    """The process was killed here."""


class MortalUsers:
    """A user store whose process dies once, just before or just after its next commit or words."""

    def __init__(self, below) -> None:
        self._below = below
        self.die: str | None = None

    def __getattr__(self, name):
        return getattr(self._below, name)

    def commit(self, epoch, rows, texts) -> None:
        self._dies("before the commit")
        self._below.commit(epoch, rows, texts)
        self._dies("after the commit")

    def put_texts(self, texts) -> None:
        self._dies("before the words")
        self._below.put_texts(texts)
        self._dies("after the words")

    def _dies(self, when: str) -> None:
        if self.die == when:
            self.die = None
            raise Killed


def _damage(folder: Path, how: str) -> None:
    file = folder / CHECKPOINT_FILE
    data = file.read_bytes() if file.exists() else b""
    if not data:
        return
    if how == "truncated":
        file.write_bytes(data[: len(data) // 2])
    elif how == "emptied":
        file.write_bytes(b"")
    elif how == "altered":
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :])
    else:
        file.unlink()


@dataclass(frozen=True)
class Mishap:
    """What happens around one epoch of a story."""

    die: str | None
    then_lose: str | None
    checkpoint: bool


mishaps = st.builds(
    Mishap,
    die=st.sampled_from(
        [
            None,
            None,
            "before the words",
            "after the words",
            "before the commit",
            "after the commit",
            "at rest",
        ]
    ),
    then_lose=st.sampled_from(
        [None, None, None, "users", "truncated", "emptied", "altered", "removed"]
    ),
    checkpoint=st.booleans(),
)


@law(40)
@given(story=stories())
def test_a_replay_from_nothing_gives_the_bits_of_the_live_state(story):
    world = World()
    tell(world, story)
    world.assert_replay_is_live()


@law(40)
@given(story=stories())
def test_what_is_published_row_by_row_is_the_whole_state(story):
    world = World()
    tell(world, story)
    whole = MemoryItems()
    whole.publish_all(world.state)
    for name in ("items", "authors", "topics", "trending", "header"):
        published, expected = getattr(world.items, name), getattr(whole, name)
        assert published.tobytes() == expected.tobytes(), name


@law(60)
@given(story=stories(8, 5), troubles=st.lists(mishaps, min_size=8, max_size=8))
def test_an_updater_killed_anywhere_comes_back_to_the_bits_of_the_log(story, troubles):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = World(folder, users=MortalUsers(MemoryUserState()))
        open_catalogue(world)
        for (after_ms, happenings), trouble in zip(story, troubles, strict=False):
            world.clock.advance(after_ms)
            for happening in happenings:
                happening.do(world)
            world.users.die = trouble.die
            try:
                world.step(0)
                if trouble.die == "at rest":
                    raise Killed
            except Killed:
                if trouble.then_lose == "users":
                    world.users = MortalUsers(MemoryUserState())
                elif trouble.then_lose:
                    _damage(folder, trouble.then_lose)
                world.recover()
            world.users.die = None
            if trouble.checkpoint:
                world.updater.checkpoint()
        world.assert_replay_is_live()
        assert world.items.header["epoch"][0] == world.state.epoch
        world.recover()
        world.assert_replay_is_live()


def _told(world: World) -> None:
    open_catalogue(world)
    for n in range(12):
        viewer = f"w{n % 5}"
        world.act(
            world.event("impression", viewer, f"v{n % 8}"),
            world.event("click", viewer, f"v{n % 8}", region="north"),
            into="web-2" if n % 3 else "web-1",
        )
        world.tell(User(user_id=viewer, interests=["tea"], follows=["ada"]))
        world.serve(viewer, ["v1", "v2"])
        world.step(HOUR_MS)


def test_recovery_folds_only_what_the_checkpoint_lacks(tmp_path):
    world = World(tmp_path)
    _told(world)
    world.updater.checkpoint()
    for _ in range(3):
        world.act(world.event("like", "ann", "v0"))
        world.step()
    assert world.recover() == 3
    assert world.recover() == 3
    world.updater.checkpoint()
    assert world.recover() == 0
    world.assert_replay_is_live()


def test_a_checkpoint_older_than_the_user_store_leaves_its_rows_alone(tmp_path):
    world = World(tmp_path)
    open_catalogue(world)
    world.updater.checkpoint()
    _told(world)
    before = list(world.users.rows())
    assert world.recover() > 0
    assert list(world.users.rows()) == before
    world.assert_replay_is_live()


def test_a_checkpoint_newer_than_the_user_store_is_put_aside(tmp_path):
    world = World(tmp_path)
    _told(world)
    world.updater.checkpoint()
    epochs = world.state.epoch
    world.users = MemoryUserState()
    assert world.recover() == epochs
    world.assert_replay_is_live()


@pytest.mark.parametrize("how", ["truncated", "emptied", "altered", "removed"])
def test_without_a_usable_checkpoint_the_log_is_folded_from_its_beginning(tmp_path, how):
    world = World(tmp_path)
    _told(world)
    world.updater.checkpoint()
    _damage(tmp_path, how)
    assert world.recover() == world.state.epoch
    world.assert_replay_is_live()


def test_a_checkpoint_of_other_definitions_is_not_read(tmp_path, monkeypatch):
    world = World(tmp_path)
    _told(world)
    with monkeypatch.context() as other:
        other.setattr(checkpoint, "features_digest", lambda: "sha256:of other definitions")
        world.updater.checkpoint()
    assert world.recover() == world.state.epoch
    world.assert_replay_is_live()


def test_a_checkpoint_of_other_regions_is_not_read(tmp_path):
    world = World(tmp_path)
    _told(world)
    world.updater.checkpoint()
    world.settings = msgspec.structs.replace(SETTINGS, regions=("north", "south", "east"))
    world.items = MemoryItems(3)
    assert world.recover() == world.state.epoch
    assert len(world.state.trending.top) == 4


def test_a_log_shorter_than_the_state_is_refused(tmp_path):
    world = World(tmp_path)
    _told(world)
    world.updater.checkpoint()
    shorter = World(tmp_path)
    open_catalogue(shorter)
    shorter.users = world.users
    with pytest.raises(DependencyUnavailable, match="the log ends at 1: part of the log"):
        shorter.recover()


def test_recovery_with_the_real_user_store_gives_the_same_rows(tmp_path):
    users = LmdbUserState(tmp_path / "users", map_gib=1, writer=True)
    world = World(tmp_path / "checkpoints", users=MortalUsers(users))
    _told(world)
    deaths = ("before the words", "after the words", "before the commit", "after the commit")
    for number, die in enumerate(deaths):
        world.post(video(f"late{number}"))
        world.act(world.event("like", "ann", "v0"))
        world.users.die = die
        with pytest.raises(Killed):
            world.step()
        world.recover()
    world.assert_replay_is_live()
    users.close()
    again = LmdbUserState(tmp_path / "users", map_gib=1, writer=True)
    world.users = MortalUsers(again)
    world.recover()
    world.assert_replay_is_live()
    again.close()


@law(40)
@given(story=stories(), again=st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_an_event_sent_again_elsewhere_within_a_day_counts_once(story, again):
    """Both worlds hear the same; one hears parts of it twice, later in the order of the log."""
    once, twice = World(), World()
    sent = []
    for world in (once, twice):
        open_catalogue(world)
    for n in range(len(again)):
        event = once.event("click", "ann", f"v{n % 8}", region="south")
        sent.append(event)
        for world in (once, twice):
            world.act(event)
        for back in again[: n + 1]:
            twice.act(sent[max(0, n - back)], into="web-2")
        for world in (once, twice):
            world.step(HOUR_MS)
    assert once.state.items.used().tobytes() == twice.state.items.used().tobytes()
    assert list(once.users.rows()) == list(twice.users.rows())
    twice.assert_replay_is_live()


def test_a_repeated_event_is_counted_as_a_duplicate():
    world = World()
    open_catalogue(world)
    event = world.event("click", "ann", "v0")
    world.act(event)
    world.act(event, into="web-2")
    report = world.step()
    assert (report.events, report.duplicates) == (1, 1)
    world.act(event)
    report = world.step(DAY_MS - 1_000)
    assert (report.events, report.duplicates) == (0, 1)


def test_how_long_a_repeat_is_recognised_follows_the_setting():
    longer = msgspec.structs.replace(
        SETTINGS, admission=AdmissionSettings(idempotence_s=5 * 86_400)
    )
    world = World(settings=longer)
    open_catalogue(world)
    event = world.event("click", "ann", "v0")
    world.act(event)
    world.step()
    world.act(event)
    assert world.step(5 * DAY_MS - 2_000).duplicates == 1


def test_an_epoch_takes_no_more_records_than_allowed_and_the_rest_comes_next():
    small = msgspec.structs.replace(SETTINGS, epochs=EpochSettings(max_records=3))
    world = World(settings=small)
    open_catalogue(world)
    for n in range(7):
        world.act(world.event("click", "ann", f"v{n}"), into=("web-1", "web-2")[n % 2])
    taken = []
    while (report := world.step(0)) is not None:
        taken.append(report.events)
    assert taken == [3, 3, 1]
    world.assert_replay_is_live()


def test_words_are_there_before_their_videos_and_videos_before_the_rows():
    seen = []

    class Looking(MemoryItems):
        def publish(self, state, rows, lag_ms):
            words = world.users.texts([video_text_key(key64("new"))])[0]
            seen.append((state.epoch, words is not None, world.users.epoch()))
            super().publish(state, rows, lag_ms)

    world = World(items=Looking())
    world.post(video("new"))
    world.act(world.event("click", "ann", "new"))
    world.step()
    assert seen == [(1, True, 0)]
    assert world.users.epoch() == 1


def test_videos_and_take_downs_do_not_wait_behind_events():
    small = msgspec.structs.replace(SETTINGS, epochs=EpochSettings(max_records=3))
    world = World(settings=small)
    open_catalogue(world)
    assert world.step(0) is None
    for n in range(9):
        world.act(world.event("click", "ann", f"v{n % 3}"))
    world.post(video("late"), into=CATALOGUE)
    world.take_down("v0", into=TAKEDOWNS)
    assert world.step().events == 1
    assert world.row("late") >= 0
    assert not world.state.items.records["flags"][world.row("v0")] & VISIBLE
    while world.step(0) is not None:
        pass
    assert world.state.items.records["slots"][world.row("v1")].any()
    world.assert_replay_is_live()


def test_behind_a_full_epoch_videos_have_one_to_themselves_and_events_the_next():
    small = msgspec.structs.replace(SETTINGS, epochs=EpochSettings(max_records=3))
    world = World(settings=small)
    open_catalogue(world)
    for n in range(9):
        world.act(world.event("click", "ann", f"v{n % 3}"))
    assert world.step(0).events == 3
    taken = []
    for n in range(4):
        world.post(video(f"late{n}"), into=CATALOGUE)
        report = world.step(0)
        assert world.row(f"late{n}") >= 0
        taken.append((report.events, report.more))
    assert taken == [(0, True), (2, True), (0, True), (2, True)]
    assert world.step(0).events == 2
    assert world.step(0) is None
    world.assert_replay_is_live()


def test_nothing_comes_in_before_the_video_that_was_there_first():
    small = msgspec.structs.replace(SETTINGS, epochs=EpochSettings(max_records=3))
    world = World(settings=small)
    for n in range(5):
        world.post(video(f"w{n}"), into=CATALOGUE)
    world.take_down("w4", into=TAKEDOWNS)
    world.act(world.event("click", "ann", "w4"))
    unknown = 0
    while (report := world.step(0)) is not None:
        unknown += report.unknown_videos
    assert unknown == 0
    assert world.row("w4") >= 0
    assert not world.state.items.records["flags"][world.row("w4")] & VISIBLE
    world.assert_replay_is_live()


def test_what_comes_while_an_epoch_is_cut_comes_in_the_order_in_which_it_came():
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"))
    read = world.log.read

    def and_then_more(partition, *others):
        found = read(partition, *others)
        if partition == CATALOGUE and not posted:
            posted.append(True)
            world.post(video("new"), into=CATALOGUE)
            world.take_down("new", into=TAKEDOWNS)
            world.act(world.event("click", "ann", "new"))
        return found

    posted: list[bool] = []
    world.log.read = and_then_more
    reports = [world.step(), world.step(0)]
    assert posted
    assert [(report.events, report.unknown_videos) for report in reports] == [(1, 0), (1, 0)]
    assert not world.state.items.records["flags"][world.row("new")] & VISIBLE
    world.assert_replay_is_live()


def test_an_epoch_never_lies_before_the_one_before_it():
    world = World()
    open_catalogue(world)
    world.clock.advance(-HOUR_MS)
    world.act(world.event("click", "ann", "v0"))
    before_ms = world.state.at_ms
    world.step()
    assert world.state.at_ms == before_ms
    world.assert_replay_is_live()


def test_an_epoch_that_could_not_be_recorded_changes_nothing_and_comes_later():
    world = World()
    open_catalogue(world)
    digest = state_digest(world.state)
    world.act(world.event("click", "ann", "v0"))
    world.log.full = True
    with pytest.raises(DependencyUnavailable):
        world.step()
    assert state_digest(world.state) == digest
    world.log.full = False
    assert world.step().events == 1
    world.assert_replay_is_live()


def test_nothing_new_closes_no_epoch():
    world = World()
    assert world.step() is None
    open_catalogue(world)
    assert world.step() is None
    assert world.state.epoch == 1


def test_lag_is_counted_from_the_arrival_of_the_oldest_record():
    world = World()
    open_catalogue(world)
    world.act(world.event("click", "ann", "v0"))
    world.clock.advance(250)
    world.act(world.event("click", "ann", "v0"), into="web-2")
    assert world.step(50).lag_ms == 300


def test_dead_letters_and_epochs_are_not_folded():
    world = World()
    open_catalogue(world)
    writer = world.log.writer("dead-web-1")
    writer.append([], world.clock.now_ms())
    assert world.step() is None
    world.post(video("v99"))
    assert world.step() is not None


def test_equal_states_have_equal_digests_and_any_bit_changes_them(tmp_path):
    world = World(tmp_path)
    _told(world)
    digest = state_digest(world.state)
    world.updater.checkpoint()
    loaded = checkpoint.load_checkpoint(tmp_path, SETTINGS)
    assert state_digest(loaded) == digest
    for change in (
        lambda state: state.items.records["slots"].__setitem__((0, 0), 9.0),
        lambda state: state.authors.records["slots"].__setitem__((0, 0), 9.0),
        lambda state: state.topics.records["landmark_ms"].__setitem__(0, 9),
        lambda state: state.trending.scores.__setitem__((1, 0), 9.0),
        lambda state: state.recent_ids.add(np.array([[7, 7]], np.uint64), state.at_ms),
        lambda state: setattr(state.recent_ids, "began_at_ms", 9),
        lambda state: setattr(state.trending, "landmark_ms", 9),
        lambda state: setattr(state, "epoch", 9_999),
    ):
        other = checkpoint.load_checkpoint(tmp_path, SETTINGS)
        change(other)
        assert state_digest(other) != digest
