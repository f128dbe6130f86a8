"""What a region watches most: exact lists, compared with sorting everything."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue
from laws.feature_worlds import START_MS, World, video
from playbill.core import DAY_MS, HOUR_MS
from playbill.features import reference
from playbill.features.definitions import Signal
from playbill.features.trending import HALF_LIFE_MS, Trending

SHORT = 3
"""Lists of three places, so that what stands behind them matters in small worlds."""

WORTH = {
    Signal.CLICK: 0.2,
    Signal.LONG_VIEW: 1.0,
    Signal.LIKE: 2.0,
    Signal.ENGAGE: 1.5,
    Signal.NEGATIVE: -5.0,
}


seeds = st.integers(0, 1 << 32)


def _turns(seed: int):
    """Return (wait, deeds, row taken down or None) of up to fourteen turns."""
    random = np.random.default_rng(seed)
    waits_ms = [0, 1_000, HOUR_MS, DAY_MS, 60 * DAY_MS]
    late_ms = [0, 0, 5_000, 7 * HOUR_MS]
    turns = []
    for _ in range(random.integers(1, 15)):
        deeds = [
            (
                int(random.integers(20)),
                int(random.integers(3)),
                Signal(random.integers(len(Signal))),
                late_ms[random.integers(4)],
            )
            for _ in range(random.integers(1, 12))
        ]
        gone = int(random.integers(20)) if random.random() < 0.4 else None
        turns.append((waits_ms[random.integers(5)], deeds, gone))
    return turns


def _absorb(lists: Trending, happened, now_ms: int) -> None:
    rows, regions, signals, late_ms = (list(column) for column in zip(*happened, strict=True))
    gains = np.zeros((len(rows), len(Signal)), np.float32)
    gains[np.arange(len(rows)), signals] = 1.0
    at_ms = now_ms - np.array(late_ms, np.int64)
    lists.absorb(np.array(rows), np.array(regions), at_ms, gains, now_ms)


def _sorted(scores: np.ndarray) -> list[int]:
    best = sorted(np.flatnonzero(scores > 0.0).tolist(), key=lambda row: -scores[row])
    return (best + [-1] * SHORT)[:SHORT]


@law(120)
@given(seed=seeds)
def test_every_list_is_what_sorting_all_scores_gives(seed):
    lists, now_ms = Trending(3, SHORT), START_MS
    for after_ms, happened, gone in _turns(seed):
        now_ms += after_ms
        _absorb(lists, happened, now_ms)
        if gone is not None:
            lists.drop(np.array([gone]))
        assert lists.top.tolist() == [_sorted(scores) for scores in lists.scores]


@law(60)
@given(seed=seeds)
def test_a_list_stays_exact_while_many_stand_close_behind_it(seed):
    """Twenty rows with a score each; then some rise, fall or go, or the leaders fall together."""
    random = np.random.default_rng(seed)
    lists = Trending(1, SHORT)
    likes = [(row, 0, Signal.LIKE, 0) for row in range(20) for _ in range(random.integers(1, 20))]
    _absorb(lists, likes, START_MS)
    signals = [Signal.LIKE, Signal.LONG_VIEW, Signal.NEGATIVE]
    for _ in range(40):
        rows = random.integers(20, size=random.integers(1, 9)).tolist()
        match random.integers(5):
            case 0:
                lists.drop(np.array(rows[:1]))
            case 1:
                leaders = np.argsort(-lists.scores[0])[:5].tolist()
                _absorb(lists, [(row, 0, Signal.NEGATIVE, 0) for row in leaders], START_MS)
            case _:
                moved = [(row, 0, signals[random.integers(3)], 0) for row in rows]
                _absorb(lists, moved, START_MS)
        assert lists.top[0].tolist() == _sorted(lists.scores[0])


@law(60)
@given(seed=seeds)
def test_a_score_is_the_decayed_worth_of_what_happened_there_and_everywhere(seed):
    lists, now_ms, happened_at = Trending(3, SHORT), START_MS, []
    for after_ms, happened, _ in _turns(seed):
        now_ms += after_ms
        _absorb(lists, happened, now_ms)
        happened_at += [(now_ms - late, *deed) for *deed, late in happened]
    factor = reference.pow2((lists.landmark_ms - now_ms) / HALF_LIFE_MS)
    for group in range(3):
        for row in range(20):
            gains = [
                (at_ms, WORTH.get(signal, 0.0))
                for at_ms, video_row, region, signal in happened_at
                if video_row == row and group in (0, region)
            ]
            expected = reference.decayed_sum(gains, HALF_LIFE_MS, now_ms)
            scale = reference.decayed_sum([(t, abs(g)) for t, g in gains], HALF_LIFE_MS, now_ms)
            assert abs(lists.scores[group, row] * factor - expected) <= 1e-9 * scale + 1e-250


@law(60)
@given(seed=seeds)
def test_restored_lists_go_on_as_the_others_would(seed):
    lists, now_ms = Trending(3, SHORT), START_MS
    for after_ms, happened, _ in _turns(seed):
        now_ms += after_ms
        _absorb(lists, happened, now_ms)
    other = Trending(3, SHORT)
    other.restore(lists.landmark_ms, lists.scores.copy())
    for after_ms, happened, gone in _turns(seed + 1):
        now_ms += after_ms
        for copy in (lists, other):
            _absorb(copy, happened, now_ms)
            if gone is not None:
                copy.drop(np.array([gone]))
        assert other.top.tolist() == lists.top.tolist()
        assert other.scores.tobytes() == lists.scores.tobytes()


def test_room_is_made_for_rows_beyond_the_first_four_thousand():
    lists = Trending(1, SHORT)
    _absorb(lists, [(9_000, 0, Signal.LIKE, 0), (3, 0, Signal.CLICK, 0)], START_MS)
    assert lists.top[0].tolist() == [9_000, 3, -1]


def test_a_longer_list_than_is_published_moves_up_when_others_fall():
    lists = Trending(1, SHORT)
    _absorb(lists, [(row, 0, Signal.LIKE, row) for row in range(10)], START_MS)
    assert lists.top[0].tolist() == [0, 1, 2]
    _absorb(lists, [(row, 0, Signal.NEGATIVE, 0) for row in range(8)], START_MS)
    assert lists.top[0].tolist() == [8, 9, -1]


def test_a_video_taken_down_leaves_the_lists_and_late_clicks_do_not_bring_it_back():
    world = World()
    open_catalogue(world)
    for name in ("v0", "v1"):
        world.act(world.event("like", "ann", name, region="north"))
    world.step()
    assert world.items.trending[:, 0].tolist() == [world.row("v0"), world.row("v0"), -1]
    world.take_down("v0")
    world.step()
    assert world.items.trending[:, 0].tolist() == [world.row("v1"), world.row("v1"), -1]
    world.act(world.event("like", "bob", "v0", region="north"))
    world.step()
    assert world.row("v0") not in world.items.trending
    world.post(video("v0"))
    world.act(world.event("like", "bob", "v0", region="south"))
    world.step()
    assert world.items.trending[2, 0] == world.row("v0")
    world.assert_replay_is_live()
