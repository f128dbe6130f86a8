"""The slate: best first under its rules, and chance with a known propensity."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue
from laws.feature_views import item_view
from laws.feature_worlds import World
from laws.ranking_worlds import EXPLORE, candidates, request
from laws.slates import FREE, naive_slate, rules, slate_of, view_of_kinds
from playbill.features import NO_TOPIC
from playbill.ranking import SlateSelector
from playbill.retrieval import view_of

OFF = SlateSelector(FREE, explore_share=0.0)

kinds_of_videos = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, NO_TOPIC]), st.integers(0, 6)),
    max_size=30,
)


@law(200)
@given(
    kinds=kinds_of_videos,
    more=st.sampled_from([0, 1, 3, NO_TOPIC]),
    size=st.integers(1, 12),
    author_cap=st.integers(1, 4),
    topic_cap=st.integers(1, 5),
    gap=st.integers(0, 3),
    diversity=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    floor=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    before=st.lists(st.integers(0, 29), max_size=3),
)
def test_the_kernel_chooses_what_the_rules_say_one_by_one(
    kinds, more, size, author_cap, topic_cap, gap, diversity, floor, before
):
    authors, topics, utility = ([kind[n] for kind in kinds] for n in range(3))
    chosen = rules(
        author_cap=author_cap,
        topic_cap=topic_cap,
        author_gap=gap,
        diversity=diversity,
        creator_floor=floor,
    )
    both = [[topic, more if topic != more else NO_TOPIC] for topic in topics]
    view = view_of_kinds(
        authors,
        both,
        impressions=[0 if a % 2 else 5_000 for a in range(5)][: max(authors, default=-1) + 1],
    )
    before = [row for row in before if row < len(kinds)]
    slate = slate_of(
        SlateSelector(chosen, 0.0),
        request(size=size, shown=np.array(before, np.int64)),
        utility,
        view,
    )
    wanted = naive_slate(utility, view, size, chosen, little={1, 3}, before=before)
    assert slate.picks.tolist() == wanted
    assert (slate.propensity == 1.0).all()


@law(150)
@given(
    kinds=kinds_of_videos,
    size=st.integers(1, 12),
    author_cap=st.integers(1, 4),
    gap=st.integers(0, 3),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_an_author_is_over_the_cap_only_where_places_would_stay_empty(
    kinds, size, author_cap, gap, diversity
):
    authors, topics, utility = ([kind[n] for kind in kinds] for n in range(3))
    chosen = rules(author_cap=author_cap, topic_cap=2, author_gap=gap, diversity=diversity)
    view = view_of_kinds(authors, topics)
    picks = slate_of(SlateSelector(chosen, 0.0), request(size=size), utility, view).picks
    assert len(picks) == len(set(picks.tolist())) == min(size, len(kinds))
    enough = sum(min(author_cap, authors.count(author)) for author in set(authors))
    if enough >= len(picks):
        shown = [authors[c] for c in picks]
        assert max((shown.count(author) for author in shown), default=0) <= author_cap


@law(150)
@given(
    authors=st.lists(st.integers(0, 5), min_size=1, max_size=25),
    size=st.integers(1, 12),
    gap=st.integers(1, 3),
)
def test_one_author_stands_close_only_where_every_other_one_left_does_too(authors, size, gap):
    view = view_of_kinds(authors)
    utility = -np.arange(len(authors))
    picks = slate_of(
        SlateSelector(rules(author_gap=gap), 0.0), request(size=size), utility, view
    ).picks.tolist()
    for place, pick in enumerate(picks):
        lately = {authors[c] for c in picks[max(0, place - gap) : place]}
        if authors[pick] in lately:
            left = set(range(len(authors))) - set(picks[:place])
            assert {authors[c] for c in left} <= lately


def test_a_gap_reaches_back_to_the_page_before():
    view = view_of_kinds([0, 0, 1])
    asked = request(size=2, shown=np.array([0]))
    near = SlateSelector(rules(author_gap=1), 0.0)
    assert slate_of(near, asked, [-np.inf, 2, 1], view).picks.tolist() == [2, 1]
    assert slate_of(near, request(size=2), [-np.inf, 2, 1], view).picks.tolist() == [1, 2]


def test_rows_that_are_no_longer_there_do_no_harm_on_the_page_before():
    view = view_of_kinds([0, 1])
    asked = request(size=2, shown=np.array([1 << 31, 999]))
    selector = SlateSelector(rules(author_gap=1, diversity=0.5), 0.0)
    assert slate_of(selector, asked, [1, 2], view).picks.tolist() == [1, 0]


@law(100)
@given(
    impressions=st.lists(st.sampled_from([0, 5_000]), min_size=1, max_size=20),
    share=st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 1.0]),
    size=st.integers(1, 10),
    pages=st.integers(1, 4),
)
def test_a_floor_is_kept_in_every_beginning_of_every_page(impressions, share, size, pages):
    """And over all pages together, however short each is; what it lacks is said."""
    selector = SlateSelector(rules(creator_floor=share), 0.0)
    view = view_of_kinds(np.arange(len(impressions)), impressions=impressions)
    little = {row for row, shown in enumerate(impressions) if not shown}
    left = list(range(len(impressions)))
    shown: list[int] = []
    for _ in range(pages):
        utility = np.array([row if row in left else -np.inf for row in range(len(impressions))])
        rows = candidates(len(impressions), utility=utility).keep(np.array(left, np.int64))
        asked = request(size=size, places_before=len(shown))
        slate = selector.select(asked, rows, view)
        page = [left[c] for c in slate.picks]
        due = [
            int(np.floor(share * (len(shown) + n) + 1e-9) - np.floor(share * len(shown) + 1e-9))
            for n in range(1, len(page) + 1)
        ]
        had = np.cumsum([row in little for row in page]).tolist()
        have = len(little & set(left))
        assert all(got >= min(want, have) for got, want in zip(had, due, strict=True))
        assert slate.short == (max(0, due[-1] - had[-1]) if page else 0)
        shown += page
        left = [row for row in left if row not in page]


def test_a_floor_gives_way_to_the_caps():
    view = view_of_kinds([0, 0, 0, 1, 2], impressions=[0, 9_000, 9_000])
    selector = SlateSelector(rules(creator_floor=1.0, author_cap=1), 0.0)
    slate = slate_of(selector, request(size=3), [1, 2, 3, 4, 5], view)
    assert slate.picks.tolist() == [2, 4, 3]
    assert slate.short == 2


def test_impressions_of_an_author_fade():
    view = view_of_kinds([0, 1], impressions=[1_900, 1_900])
    view.tables.authors["landmark_ms"][0] -= 14 * 86_400_000
    selector = SlateSelector(rules(creator_floor=1.0), 0.0)
    assert slate_of(selector, request(size=1), [1, 2], view).picks.tolist() == [0]


def test_what_the_floor_keeps_is_not_given_to_chance():
    impressions = [0, 0, 9_000, 9_000, 9_000, 9_000]
    view = view_of_kinds(np.arange(6), impressions=impressions)
    selector = SlateSelector(rules(creator_floor=0.5), explore_share=0.5)
    for seed in range(50):
        asked = request(size=4, seed=seed)
        slate = slate_of(selector, asked, [6, 5, 4, 3, 2, 1], view, sources=[1] * 4 + [EXPLORE] * 2)
        assert slate.picks[:2].tolist() == [0, 1]
        assert slate.propensity[:2].tolist() == [1.0, 1.0]
        assert set(slate.propensity[2:].tolist()) <= {0.5, 0.25}


@law(60)
@given(kinds=kinds_of_videos, size=st.integers(1, 12), seed=st.integers(0, 1 << 32))
def test_the_same_generator_makes_the_same_slate(kinds, size, seed):
    authors, topics, utility = ([kind[n] for kind in kinds] for n in range(3))
    chosen = rules(author_cap=2, topic_cap=3, author_gap=1, diversity=0.2, creator_floor=0.2)
    selector, view = SlateSelector(chosen, 0.3), view_of_kinds(authors, topics)
    sources = [EXPLORE if n % 2 else 1 for n in range(len(kinds))]
    one, two = (
        slate_of(selector, request(size=size, seed=seed), utility, view, sources) for _ in range(2)
    )
    assert one.picks.tolist() == two.picks.tolist()
    assert one.propensity.tobytes() == two.propensity.tobytes()


def test_back_fill_lifts_the_cap_on_topics_before_the_one_on_authors():
    selector = SlateSelector(rules(author_cap=1, topic_cap=1), explore_share=0.0)
    view = view_of_kinds([0, 0, 1, 2, 2], [0, 1, 0, 1, 1])
    picks = slate_of(selector, request(size=5), [5, 4, 3, 2, 1], view).picks
    assert picks.tolist() == [0, 3, 2, 1, 4]


def test_videos_without_a_topic_do_not_share_one():
    selector = SlateSelector(rules(topic_cap=1), explore_share=0.0)
    view = view_of_kinds([0, 1, 2, 3], [NO_TOPIC, NO_TOPIC, 5, 5])
    assert slate_of(selector, request(size=3), [1, 2, 4, 3], view).picks.tolist() == [2, 1, 0]


@law(100)
@given(
    utility=st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    strength=st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.9]),
    size=st.integers(1, 8),
)
def test_without_anything_alike_diversity_changes_nothing(utility, strength, size):
    view = view_of_kinds(np.arange(len(utility)))
    plain, varied = (
        slate_of(SlateSelector(rules(diversity=one), 0.0), request(size=size), utility, view)
        for one in (0.0, strength)
    )
    assert plain.picks.tolist() == varied.picks.tolist()


def test_more_diversity_shows_more_topics():
    random = np.random.default_rng(3)
    topics = random.integers(0, 12, 200)
    utility = random.normal(size=200) + 2.0 * (topics == 0)
    view = view_of_kinds(np.arange(200), topics)
    shown = [
        len(
            set(
                topics[
                    slate_of(
                        SlateSelector(rules(diversity=strength), 0.0),
                        request(size=20),
                        utility,
                        view,
                    ).picks
                ].tolist()
            )
        )
        for strength in (0.0, 0.2, 0.5, 1.0)
    ]
    assert shown == sorted(shown)
    assert shown[0] < shown[1]
    assert shown[-1] == 12


odd = st.sampled_from([np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0, 1.5, -2.0])


@law(200)
@given(
    utility=st.lists(odd, min_size=1, max_size=15),
    size=st.integers(1, 15),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    penalty=st.sampled_from([0.0, 1.0]),
)
def test_numbers_that_are_none_leave_the_order_of_the_others_alone(
    utility, size, diversity, penalty
):
    """They stand behind all that are some, as they came."""
    selector = SlateSelector(rules(diversity=diversity, repeat_penalty=penalty), 0.0)
    view = view_of_kinds(np.arange(len(utility)))
    picks = slate_of(selector, request(size=size), utility, view).picks.tolist()
    some = [c for c in range(len(utility)) if np.isfinite(utility[c])]
    ordered = sorted(some, key=lambda c: -utility[c])
    behind = [c for c in range(len(utility)) if c not in some]
    assert picks == [*ordered, *behind][:size]


@law(60)
@given(
    utility=st.lists(odd, min_size=2, max_size=15),
    strangers=st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), max_size=5),
)
def test_broken_numbers_among_them_change_nothing_for_finite_ones(utility, strangers):
    selector = SlateSelector(rules(author_cap=2, author_gap=1, diversity=0.2), 0.0)
    finite = [u for u in utility if np.isfinite(u)]
    mixed = [*strangers, *finite]
    authors = [*(100 + n for n in range(len(strangers))), *(n % 4 for n in range(len(finite)))]
    pick = lambda u, a: slate_of(  # noqa: E731
        selector, request(size=len(finite)), u, view_of_kinds(a)
    ).picks.tolist()
    alone = pick(finite, authors[len(strangers) :])
    among = [c - len(strangers) for c in pick(mixed, authors)]
    fitting = [c for c in among if c >= 0]
    assert fitting == alone[: len(fitting)]


def test_what_was_shown_lately_loses_the_penalty():
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v1"])
    world.step()
    view = view_of(world.items)
    utility = np.array([5.0, 6.0, 4.0, 3.0])
    picks = [
        slate_of(
            SlateSelector(rules(repeat_penalty=penalty), 0.0),
            request(size=2, user=world.viewer("ann")),
            utility,
            view,
        ).picks.tolist()
        for penalty in (0.0, 1.0)
    ]
    assert picks == [[1, 0], [0, 2]]


def test_candidates_of_equal_utility_keep_the_order_they_came_in():
    rows = candidates(5, utility=[1, 1, -np.inf, 3, -np.inf])
    rows.rows = np.array([4, 3, 2, 1, 0])
    assert OFF.select(request(size=5), rows, item_view(5)).picks.tolist() == [3, 0, 1, 2, 4]


def test_without_a_utility_they_stay_as_they_came():
    assert OFF.select(request(size=3), candidates(3), item_view(3)).picks.tolist() == [0, 1, 2]


def test_no_candidates_make_an_empty_slate():
    slate = OFF.select(request(size=3), candidates(0), item_view(0))
    assert slate.picks.tolist() == slate.propensity.tolist() == []
