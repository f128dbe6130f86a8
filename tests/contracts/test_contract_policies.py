"""Policies of surfaces: what is refused, and what is then in force."""

import math

import msgspec
import pytest

from playbill.contracts import ServingSettings, Settings, SurfacePolicy, policy_on, settings_digest
from playbill.core import InvalidInput


def told(serving, surfaces=("home", "shorts")):
    return msgspec.convert({"surfaces": surfaces, "serving": serving}, Settings)


def test_a_policy_of_a_surface_that_is_not_declared_is_refused_with_the_nearest_name():
    with pytest.raises(
        InvalidInput, match=r"no surface 'short'\. Did you mean 'shorts'\?"
    ) as caught:
        told({"policies": {"short": {}}})
    assert caught.value.field == "serving.policies.short"
    assert "home, shorts" in caught.value.hint


NOTHING = dict.fromkeys(
    ("ann_quota", "similar_quota", "followed_quota", "fresh_quota", "trending_quota", "next_quota"),
    0,
)


@pytest.mark.parametrize(
    ("said", "field", "message"),
    [
        ({**NOTHING, "explore_quota": 0}, "ann_quota", "every quota is 0"),
        ({"explore_quota": 0}, "explore_share", "there is nothing to draw from"),
        ({"creator_floor": 0.96}, "creator_floor", "together more than all places"),
        ({"creator_floor": 0.5, "explore_share": 0.6}, "creator_floor", "is 0.5 and"),
        ({"value": {"like": math.nan}}, "value.like", "is nan; expected a finite number"),
        ({"value": {"click": math.inf}}, "value.click", "is inf; expected a finite number"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused_by_name(said, field, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        told({"policies": {"shorts": said}})
    assert caught.value.field == f"serving.policies.shorts.{field}"
    assert caught.value.message.startswith("serving.policies.shorts")
    assert caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        {**NOTHING},
        {"explore_quota": 0, "explore_share": 0.0},
        {"creator_floor": 0.95},
        {"creator_floor": 1.0, "explore_share": 0.0},
        {"value": {"negative": -40.0}},
    ],
)
def test_numbers_that_hold_together_are_taken(said):
    told({"policies": {"shorts": said}})


def test_the_numbers_of_all_surfaces_must_hold_together_too():
    with pytest.raises(InvalidInput, match=r"serving\.creator_floor is 1") as caught:
        told({"creator_floor": 1.0})
    assert caught.value.field == "serving.creator_floor"
    with pytest.raises(InvalidInput, match=r"policies\.shorts\.creator_floor is 0\.8"):
        told({"creator_floor": 0.8, "policies": {"shorts": {"explore_share": 0.3}}})


def test_what_is_left_out_is_as_for_all():
    serving = ServingSettings(author_cap=7, topic_cap=3)
    found = policy_on(serving, SurfacePolicy(author_cap=1, explore_quota=0, explore_share=0.0))
    assert (found.author_cap, found.topic_cap, found.explore_quota) == (1, 3, 0)
    assert policy_on(serving, SurfacePolicy()) == serving


def test_a_policy_is_part_of_what_impressions_were_served_by():
    plain = told({})
    one, two = (told({"policies": {name: {"author_cap": 1}}}) for name in ("home", "shorts"))
    assert len({settings_digest(settings) for settings in (plain, one, two)}) == 3


def test_a_number_that_is_none_is_out_of_every_range():
    with pytest.raises(msgspec.ValidationError, match="`float`"):
        told({"policies": {"shorts": {"diversity": math.nan}}})
