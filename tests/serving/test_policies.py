"""Every surface its own policy, in one deployment."""

import msgspec
import numpy as np
import pytest

from laws.reading import Reading, numbers, reading_settings
from playbill.contracts import PolicyValues, ServingSettings, SurfacePolicy, settings_digest
from playbill.ranking import TASKS, Policies, SlateRules
from playbill.retrieval import SOURCES

SURFACES = ("home", "shorts", "following")


def _settings(**policies):
    return reading_settings(
        SURFACES,
        explore_share=0.0,
        author_cap=2,
        policies={name: SurfacePolicy(**said) for name, said in policies.items()},
    )


def _authors(reply) -> list[int]:
    return [number % 5 for number in numbers(reply)]


def test_a_request_for_a_surface_uses_its_policy_and_the_others_theirs():
    home = Reading(60, _settings(shorts={"author_cap": 1}))
    for surface, size, most in (
        ("home", 8, 2),
        (None, 8, 2),
        ("shorts", 5, 1),
        ("following", 8, 2),
    ):
        authors = _authors(home.ask(f"of {surface}", surface=surface, size=size))
        assert max(authors.count(author) for author in authors) == most


def test_a_surface_may_leave_sources_out():
    only = {f"{name}_quota": 0 for name in ("ann", "similar", "trending", "explore", "fresh")}
    home = Reading(30, _settings(following={**only, "explore_share": 0.0}))
    home.world.act(home.world.event("follow", "ann", author_id="author2"))
    home.post(0)
    page = home.ask(surface="following", size=5)
    assert {item.source for item in page.items} == {"followed"}
    assert set(_authors(page)) == {2}
    assert {item.source for item in home.ask(surface="home", size=10).items} != {"followed"}


def test_value_weights_of_a_surface_turn_its_order_around():
    """The model predicts clicks only; here one is worth less than nothing."""
    age = lambda features: np.linspace(0.1, 0.9, len(features), dtype=np.float32)  # noqa: E731
    home = Reading(40, _settings(shorts={"value": PolicyValues(click=-1.0)}), likes=age)
    plain = [item.score for item in home.ask("ann", surface="home", size=5).items]
    turned = [item.score for item in home.ask("bob", surface="shorts", size=5).items]
    assert min(plain) > 0.0 > max(turned)


def test_a_last_list_is_of_one_surface():
    home = Reading(40, _settings())
    shown = numbers(home.ask(surface="home", size=5))
    state = home.service.state
    state.affordable = msgspec.convert("cached", type(state.affordable))
    assert numbers(home.ask(surface="home", size=5)) == shown
    assert home.ask(surface="home", size=5).tier.value == "cached"
    assert home.ask(surface="shorts", size=5).tier.value == "popular"


@pytest.mark.parametrize("field", [f for f in SurfacePolicy.__struct_fields__ if f != "value"])
def test_each_override_reaches_the_policy_of_its_surface_only(field):
    default = getattr(ServingSettings(), field)
    said = 2 if default == 1 else (default + 1 if isinstance(default, int) else 0.5)
    settings = _settings(shorts={field: said})
    policies = Policies(settings.serving, settings.surfaces)
    plain = Policies(_settings().serving, SURFACES)
    assert settings_digest(settings) != settings_digest(_settings())
    for code in (0, 1, 3, 99):
        assert policies.of(code).quotas == plain.of(1).quotas
        assert policies.of(code).selector == plain.of(1).selector
    changed, kept = policies.of(2), plain.of(1)
    seen = [
        list(changed.quotas) != list(kept.quotas),
        changed.selector.rules != kept.selector.rules,
        changed.selector.explore_share != kept.selector.explore_share,
        changed.repeat_showings != kept.repeat_showings,
        changed.repeat_rest_ms != kept.repeat_rest_ms,
    ]
    assert sum(seen) == 1


def test_every_number_of_a_slate_may_differ_by_surface():
    fields = set(SurfacePolicy.__struct_fields__)
    assert set(SlateRules._fields) <= fields
    assert len([field for field in fields if field.endswith("_quota")]) == len(SOURCES)
    assert set(PolicyValues.__struct_fields__) == set(TASKS)
    assert fields - {"value"} <= set(ServingSettings.__struct_fields__)


def test_what_a_surface_does_not_say_of_values_is_the_bundles():
    settings = _settings(shorts={"value": PolicyValues(negative=-30.0)})
    bundle = np.array([1.0, 2.0, 4.0, -12.0], np.float32)
    policies = Policies(settings.serving, SURFACES, bundle)
    assert policies.of(2).values.tolist() == [1.0, 2.0, 4.0, -30.0]
    assert policies.of(1).values.tolist() == bundle.tolist()
