"""One request from candidates to a slate, with a small fake model."""

from dataclasses import dataclass
from itertools import accumulate, count, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_views import NOW_MS, item_view, unit, viewer
from laws.ranking_worlds import EXPLORE, TickingClock, request, stand
from playbill.contracts import Tier
from playbill.core import DependencyUnavailable, FixedClock
from playbill.features import FEATURE_NAMES, VISIBLE, Assembler
from playbill.features.layout import CLICKED, DISLIKED
from playbill.retrieval import SOURCES, Source, view_of

AGE = FEATURE_NAMES.index("item_age")


def _aged(videos: int = 60, **view):
    """Return a view in which video n is n hours old, so that features tell videos apart."""
    return item_view(
        videos,
        authors=np.arange(videos) % 30,
        created_at_ms=NOW_MS - np.arange(videos) * 3_600_000,
        **view,
    )


def _younger_is_better(features):
    return 1.0 / (1.0 + features[:, AGE])


def _ready(view=None, indexed=20, **settings):
    settings = {"explore_share": 0.0, "explore_quota": 60, **settings}
    made = stand(_aged() if view is None else view, indexed=indexed, **settings)
    made.model.p_click = made.model.approximate = _younger_is_better
    return made


def test_a_good_day_is_full_and_has_no_reasons():
    ranked = _ready().run(request(size=10, vector=unit(np.ones(8))))
    assert ranked.tier is Tier.FULL
    assert ranked.trace.reasons == []
    assert ranked.rows.tolist() == list(range(10))
    assert (np.diff(ranked.scores) <= 0).all()
    assert (ranked.propensity == 1.0).all()
    assert {SOURCES[code - 1] for code in ranked.sources} <= set(SOURCES)


def test_stages_are_told_in_the_order_in_which_they_ran():
    trace = _ready().run(request(vector=unit(np.ones(8)))).trace
    told = [(stage.kind, stage.name) for stage in trace.stages]
    assert told == [
        *(("source", name) for name in SOURCES),
        *(("filter", name) for name in ("visible", "region", "age_rating")),
        *(("filter", name) for name in ("exclude", "seen", "disliked", "posted_later")),
        ("features", "features"),
        ("scorer", "light"),
        ("scorer", "heavy"),
        ("selector", "slate"),
    ]
    came = [stage for stage in trace.stages if stage.kind == "filter"]
    assert all(later.came == earlier.left for earlier, later in pairwise(came))
    assert trace.stages[-1].left == 10


def test_the_features_of_the_slate_are_those_that_its_videos_were_read_with():
    made = _ready()
    asked = request(size=5)
    ranked = made.run(asked)
    view = view_of(made.shared)
    read = Assembler().read(view.tables, ranked.rows, asked.query.user, ranked.hydrated.at_ms)
    assert ranked.features.tobytes() == read.tobytes()


def test_the_heavy_scorer_has_the_last_word_on_the_order():
    made = _ready()
    made.model.p_click = lambda features: 1.0 - _younger_is_better(features)
    ranked = made.run(request(size=5))
    assert ranked.tier is Tier.FULL
    assert ranked.rows.tolist() == [59, 58, 57, 56, 55]


def test_without_the_heavy_scorer_the_light_one_orders_and_the_reply_says_why():
    made = _ready()
    made.model.p_click = lambda features: 1.0 - _younger_is_better(features)
    made.model.fails = True
    ranked = made.run(request(size=5))
    assert (ranked.tier, ranked.trace.reasons) == (Tier.LIGHT, ["heavy_scorer_failed"])
    assert ranked.rows.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(ranked.scores, _younger_is_better(ranked.features), rtol=1e-6)
    heavy = next(stage for stage in ranked.trace.stages if stage.name == "heavy")
    assert (heavy.left, heavy.note) == (0, "heavy_scorer_failed")


def test_a_light_scorer_that_fails_is_for_the_caller_to_deal_with():
    def fail(features):
        raise DependencyUnavailable("no light")

    made = _ready()
    made.model.approximate = fail
    with pytest.raises(DependencyUnavailable, match="no light"):
        made.run(request())


def test_numbers_that_are_none_reach_no_reply():
    made = _ready()
    made.model.approximate = lambda features: np.where(features[:, AGE] > 2.0, np.nan, 1.0)
    made.model.p_click = lambda features: np.where(features[:, AGE] > 1.0, np.inf, 0.5)
    ranked = made.run(request(size=60))
    assert len(ranked.rows) == 60
    assert np.isfinite(ranked.scores).all()
    assert (ranked.scores[:2] == [0.5, 0.5]).all()
    assert (np.diff(ranked.scores) <= 0).all()
    made.model.approximate = lambda features: np.full(len(features), np.nan)
    made.model.p_click = lambda features: np.full(len(features), np.nan)
    ranked = made.run(request(size=60))
    assert (ranked.tier, len(ranked.rows)) == (Tier.LIGHT, 60)
    assert np.isfinite(ranked.scores).all()


def test_nobody_left_to_show_is_nothing():
    made = _ready(_aged(flags=0))
    assert made.run(request()) is None


def test_an_empty_catalogue_is_nothing():
    assert stand(item_view(0)).run(request()) is None


def test_what_the_caller_excludes_never_comes_back_even_when_nothing_else_is_left():
    made = _ready()
    excluded = list(range(55))
    ranked = made.run(request(size=10, excluded=excluded))
    assert sorted(ranked.rows.tolist()) == list(range(55, 60))
    assert made.run(request(size=10, excluded=list(range(60)))) is None


def test_an_author_that_was_hidden_comes_back_only_when_there_is_nothing_else():
    made = _ready()
    user = viewer(history=[0], actions=[DISLIKED])
    ranked = made.run(request(size=20, user=user))
    assert not {0, 30} & set(ranked.rows.tolist())
    assert ranked.trace.reasons == []
    few = _ready(_aged(5)).run(request(size=5, user=user))
    assert sorted(few.rows.tolist()) == [1, 2, 3, 4]
    only = _ready(_aged(1)).run(request(size=5, user=user))
    assert only.rows.tolist() == [0]
    assert only.trace.reasons == ["catalogue_exhausted"]


@dataclass
class _Overrunning:
    """A source that finds what another finds, and takes its time."""

    source: Source
    clock: FixedClock
    ms: float

    @property
    def name(self) -> str:
        return self.source.name

    def retrieve(self, query, view, quota):
        self.clock.seconds += self.ms / 1000.0
        return self.source.retrieve(query, view, quota)


def _overrunning(made, ms: dict[str, float]):
    """Return a stand whose sources take as long as is said; ranking has nothing else to spend."""
    slow = [_Overrunning(one, made.clock, ms.get(one.name, 0.0)) for one in made.pipeline._sources]
    made.pipeline._sources = tuple(slow)
    return made


def _rich():
    """Return a stand and a request for which every source finds something."""
    made = _ready(_aged(trending=[[50, 51, 52]]), indexed=60)
    made.model.table.follow(3, 20)
    user = viewer(history=[3], actions=[CLICKED], follows=[7, 8])
    return made, request(size=10, user=user, vector=unit(np.ones(8)))


def test_every_source_of_the_rich_world_finds_something():
    made, asked = _rich()
    told = {stage.name: stage.left for stage in made.run(asked).trace.stages}
    assert all(told[name] > 0 for name in SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_overruns_costs_those_after_it_and_no_feed(name):
    made, asked = _rich()
    ranked = _overrunning(made, {name: 30.5}).run(asked)
    later = SOURCES[SOURCES.index(name) + 1 :]
    assert ranked.trace.reasons == [f"source_skipped:{other}" for other in later]
    assert (ranked.tier, len(ranked.rows)) == (Tier.FULL, 10)
    told = {stage.name for stage in ranked.trace.stages if stage.kind == "source"}
    assert told == set(SOURCES) - set(later)


@law(60)
@given(ms=st.lists(st.sampled_from([0.0, 5.0, 12.0, 29.0, 31.0, 200.0]), min_size=7, max_size=7))
def test_whatever_sources_take_a_feed_is_made_of_those_that_time_reached(ms):
    made, asked = _rich()
    ranked = _overrunning(made, dict(zip(SOURCES, ms, strict=True))).run(asked)
    before = accumulate(ms, initial=0.0)
    late = [name for name, spent in zip(SOURCES, before, strict=False) if spent >= 30.0]
    skipped = [reason for reason in ranked.trace.reasons if reason.startswith("source_skipped:")]
    assert skipped == [f"source_skipped:{name}" for name in late]
    assert len(ranked.rows) == 10
    assert {SOURCES[code - 1] for code in ranked.sources}.isdisjoint(late)


def test_a_feed_that_is_late_already_has_less_time_for_its_sources():
    made, asked = _rich()
    ranked = _overrunning(made, {"vector": 10.5}).run(asked, budget_ms=10.0)
    skipped = [f"source_skipped:{name}" for name in SOURCES[1:]]
    assert ranked.trace.reasons == [*skipped, "heavy_scorer_slow"]
    assert (ranked.tier, len(ranked.rows)) == (Tier.LIGHT, 10)


def test_sources_are_asked_until_one_has_found_something_however_late_it_is():
    made, _ = _rich()
    made.clock.seconds += 1.0
    ranked = _overrunning(made, dict.fromkeys(SOURCES, 40.0)).run(request(size=5), budget_ms=-1.0)
    told = [stage.name for stage in ranked.trace.stages if stage.kind == "source"]
    assert told == ["vector", "similar", "followed", "fresh"]
    assert len(ranked.rows) == 5


def test_a_candidate_of_several_sources_is_named_after_the_first():
    made = _ready(_aged(trending=[[0, 1, 2]]))
    ranked = made.run(request(size=20, vector=made.model.table.matrix[0]))
    assert SOURCES[ranked.sources[ranked.rows.tolist().index(0)] - 1] == "vector"
    assert len(set(ranked.rows.tolist())) == len(ranked.rows)


def test_unsettled_item_state_is_named():
    made = _ready(clock=TickingClock())
    numbers = count(0, 2)
    made.shared.sequence = lambda: next(numbers)
    ranked = made.run(request())
    assert ranked.trace.reasons == ["item_state_unsettled"]
    assert not ranked.hydrated.settled


def test_exploration_shows_what_only_it_found_with_its_propensity():
    view = _aged(60)
    view.tables.items["created_at_ms"] = NOW_MS - 9 * 86_400_000
    made = stand(view, indexed=20, explore_share=0.5, ann_quota=20)
    shown, explored = 0, 0
    for seed in range(60):
        ranked = made.run(request(size=10, vector=unit(np.ones(8)), seed=seed))
        chance = ranked.propensity < 0.5
        shown += len(ranked.rows)
        explored += int(chance.sum())
        assert (ranked.sources[chance] == EXPLORE).all()
    # 600 places, half of them by chance: standard deviation 12.2, four of them allowed.
    assert abs(explored - shown / 2) < 50


def test_a_request_repeats_with_its_seed():
    made = stand(_aged(), explore_share=0.4)
    first, second, other = (
        made.run(request(size=10, seed=seed)).rows.tolist() for seed in (1, 1, 2)
    )
    assert first == second != other


rules = st.lists(
    st.tuples(
        st.sampled_from([VISIBLE, VISIBLE, 0]),
        st.sampled_from([0, 0, 0b01, 0b10, 0b11]),
        st.sampled_from([0, 0, 12, 18]),
    ),
    min_size=1,
    max_size=40,
)


@law(80)
@given(
    rules=rules,
    region=st.integers(0, 2),
    age=st.sampled_from([0, 11, 12, 17, 18, 255]),
    size=st.integers(1, 20),
    seen=st.lists(st.integers(0, 39), max_size=10),
    gone_while_scoring=st.lists(st.integers(0, 39), max_size=10),
    heavy=st.sampled_from(["works", "fails", "is slow"]),
    seed=st.integers(0, 99),
)
def test_no_feed_ever_shows_what_may_not_be_shown(
    rules, region, age, size, seen, gone_while_scoring, heavy, seed
):
    """Also not what is taken down while the request is being ranked."""
    videos = len(rules)
    view = item_view(videos, trending=[list(range(videos))] * 2)
    items = view.tables.items
    items["flags"], items["regions"], items["age_rating"] = zip(*rules, strict=True)
    made = stand(view, explore_share=0.3, author_cap=1)
    made.model.fails = heavy == "fails"
    made.model.ms_per_row = 50.0 if heavy == "is slow" else 0.0
    gone = [row for row in gone_while_scoring if row < videos]

    def take_down():
        made.shared.items["flags"][gone] = 0

    made.model.while_scoring = take_down
    hidden = [row for row in dict.fromkeys(seen) if row < videos]
    user = viewer(history=hidden, actions=[DISLIKED] * len(hidden))
    user["age"] = age
    bit = (1 << (region - 1)) if region else 0
    allowed = {
        row
        for row, (flags, regions, rating) in enumerate(rules)
        if flags & VISIBLE and (regions == 0 or regions & bit) and (age == 255 or rating <= age)
    }
    ranked = made.run(
        request(size=size, user=user, region=region, vector=unit(np.ones(8)), seed=seed)
    )
    if ranked is None:
        assert not allowed
        return
    rows = set(ranked.rows.tolist())
    still = allowed - set(gone) if made.model.asked else allowed
    assert rows <= still
    assert len(rows) == len(ranked.rows) <= size
    for column in (ranked.sources, ranked.scores, ranked.propensity, ranked.features):
        assert len(column) == len(ranked.rows)
    if not gone:
        assert len(rows) == min(size, len(allowed - set(hidden) or allowed))
