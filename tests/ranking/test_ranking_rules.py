"""Each rule with the cases that it decides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from laws.feature_stories import law, open_catalogue
from laws.feature_views import item_view, viewer
from laws.feature_worlds import World, video
from laws.ranking_worlds import request
from playbill.contracts import User
from playbill.features import VISIBLE, empty_user
from playbill.features.layout import CLICKED, DISLIKED, LIKED, NO_ROW
from playbill.ranking import MUST_NOT, RULES, VISIBILITY, broken_rules, permitted
from playbill.retrieval import view_of


def _dropped(rule: str, view, asked=None) -> list[int]:
    broken = broken_rules(asked or request(), np.arange(view.count), view)
    assert broken.dtype == np.uint8
    return np.flatnonzero(broken & RULES[rule]).tolist()


def test_every_rule_has_a_bit_of_its_own():
    assert list(RULES) == [
        *("visible", "region", "age_rating", "exclude"),
        *("seen", "disliked", "posted_later"),
    ]
    assert sum(RULES.values()) == (1 << len(RULES)) - 1
    assert VISIBILITY | RULES["exclude"] == MUST_NOT
    assert RULES["visible"] | RULES["region"] | RULES["age_rating"] == VISIBILITY


def test_no_candidates_are_no_trouble():
    assert broken_rules(request(), np.empty(0, np.int64), item_view(3)).tolist() == []


def test_a_video_that_was_taken_down_is_dropped():
    view = item_view(4, flags=[VISIBLE, 0, VISIBLE | 2, 2])
    assert _dropped("visible", view) == [1, 3]


@pytest.mark.parametrize(
    ("region", "dropped"),
    [(0, [1, 2, 3, 4]), (1, [2, 4]), (2, [1, 4]), (3, [1, 2, 3, 4]), (32, [1, 2, 3])],
)
def test_a_video_is_shown_where_it_may_be(region, dropped):
    view = item_view(5)
    view.tables.items["regions"] = [0, 0b01, 0b10, 0b11, 1 << 31]
    assert _dropped("region", view, request(region=region)) == dropped


@pytest.mark.parametrize(
    ("age", "dropped"),
    [(0, [1, 2, 3]), (11, [1, 2, 3]), (12, [2, 3]), (18, [3]), (21, []), (255, [])],
)
def test_a_video_rated_above_the_viewers_age_is_dropped_and_an_unknown_age_is_an_adults(
    age, dropped
):
    view = item_view(4)
    view.tables.items["age_rating"] = [0, 12, 18, 21]
    user = empty_user()
    user["age"] = age
    assert _dropped("age_rating", view, request(user=user)) == dropped


def test_a_child_of_no_age_yet_is_no_adult():
    world = World()
    open_catalogue(world)
    world.tell(User(user_id="ann", age=0))
    world.step()
    world.items.items["age_rating"][0] = 1
    asked = request(user=world.viewer("ann"))
    assert _dropped("age_rating", view_of(world.items), asked) == [0]


@pytest.mark.parametrize(("excluded", "dropped"), [([], []), ([2], [2]), ([0, 3, 99], [0, 3])])
def test_what_the_caller_names_is_dropped(excluded, dropped):
    assert _dropped("exclude", item_view(4), request(excluded=excluded)) == dropped


def test_what_was_shown_is_dropped():
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v1", "v4"])
    world.act(world.event("watch", "ann", "v6", watch_ms=5), world.event("click", "ann", "v7"))
    world.step()
    asked = request(user=world.viewer("ann"))
    assert _dropped("seen", view_of(world.items), asked) == [1, 4, 6]
    assert _dropped("seen", view_of(world.items)) == []


@pytest.mark.parametrize(
    ("history", "actions", "dropped"),
    [
        ([], [], []),
        ([1], [CLICKED | LIKED], []),
        ([1], [DISLIKED], [1, 4]),
        ([0, 2], [DISLIKED | CLICKED, DISLIKED], [0, 2, 3, 5]),
        ([77], [DISLIKED], []),
        ([77, 1], [DISLIKED, DISLIKED], [1, 4]),
        ([NO_ROW], [DISLIKED], []),
    ],
)
def test_authors_of_hidden_and_reported_videos_are_dropped(history, actions, dropped):
    view = item_view(6, authors=[0, 1, 2] * 2)
    user = viewer(history=history, actions=actions)
    assert _dropped("disliked", view, request(user=user)) == dropped


@law(60)
@given(rows=st.lists(st.integers(0, 5), max_size=12), asked_region=st.integers(0, 4))
def test_a_rule_decides_about_each_candidate_alone(rows, asked_region):
    """Order, repeats and company of a candidate change nothing for it."""
    view = item_view(6, authors=[0, 1, 2] * 2, flags=[1, 0, 1, 1, 0, 1])
    view.tables.items["regions"] = [0, 1, 2, 3, 0, 1]
    view.tables.items["age_rating"] = [0, 18, 12, 0, 0, 18]
    user = viewer(history=[2], actions=[DISLIKED])
    user["age"] = 15
    asked = request(user=user, region=asked_region, excluded=[3])
    alone = broken_rules(asked, np.arange(6), view)
    several = broken_rules(asked, np.array(rows, np.int64), view)
    assert several.tolist() == [int(alone[row]) for row in rows]


SEEN, DISLIKED, LATER = RULES["seen"], RULES["disliked"], RULES["posted_later"]


@pytest.mark.parametrize(
    ("broken", "size", "kept"),
    [
        ([], 3, []),
        ([0, SEEN, 0, DISLIKED], 2, [0, 2]),
        ([SEEN, 0, SEEN | DISLIKED, 0, SEEN], 3, [1, 3, 0, 4]),
        ([DISLIKED, SEEN], 5, [1]),
        ([DISLIKED, MUST_NOT | DISLIKED, SEEN | DISLIKED], 5, [0, 2]),
        ([MUST_NOT, RULES["exclude"], RULES["visible"] | SEEN], 5, []),
        ([LATER, 0, SEEN, LATER | SEEN], 1, [1]),
        ([SEEN, LATER, 0, LATER | SEEN], 2, [2, 1]),
        ([SEEN, LATER, 0, LATER | SEEN], 3, [2, 1, 0, 3]),
        ([LATER | DISLIKED, LATER | RULES["exclude"]], 3, [0]),
    ],
)
def test_seen_videos_top_a_page_up_and_disliked_ones_come_before_nothing_only(broken, size, kept):
    assert permitted(np.array(broken, np.uint8), size).tolist() == kept


def test_what_was_posted_since_the_first_page_is_told():
    asked = request()
    later = structs.replace(asked, query=replace(asked.query, below=2))
    assert _dropped("posted_later", item_view(4), later) == [2, 3]
    assert _dropped("posted_later", item_view(4), asked) == []


@pytest.mark.parametrize(
    ("showings", "held"),
    [(1, ["once", "twice", "clicked"]), (2, ["twice", "clicked"]), (0, ["clicked"])],
)
def test_a_video_is_held_back_after_so_many_showings_or_an_action(showings, held):
    """Two showings are told apart when a hundred other videos were shown between them."""
    world = World()
    names = ["once", "twice", "clicked", "unseen", *(f"filler{n}" for n in range(100))]
    world.post(*(video(name) for name in names))
    world.step()
    world.serve("ann", ["twice", *names[4:]])
    world.step()
    world.serve("ann", ["once", "twice", "clicked"])
    world.act(world.event("click", "ann", "clicked"))
    world.step()
    asked = request(user=world.viewer("ann"), showings_held=showings)
    broken = broken_rules(asked, np.arange(4), view_of(world.items))
    assert [names[row] for row in np.flatnonzero(broken & SEEN)] == held
