"""Budgets of time fit into the one they are part of, or nothing starts."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import HttpSettings, ServingSettings, Settings
from playbill.core import InvalidInput

WAY = ("way_ms", "pressure_ms", "budget_ms")
STAGES = ("user_store_ms", "source_budget_ms", "scorer_budget_ms")
REST_MS = 5

whole_ms = st.integers(1, 400)


def told(hang_s: float = 60.0, **serving: float) -> Settings:
    return Settings(serving=ServingSettings(**serving), http=HttpSettings(hang_s=hang_s))


def test_the_defaults_add_up_to_the_promise_to_the_millisecond():
    said = ServingSettings()
    assert sum(getattr(said, name) for name in WAY) == said.promise_ms == 180.0
    assert sum(getattr(said, name) for name in STAGES) + REST_MS <= said.budget_ms


@law(200)
@given(said=st.fixed_dictionaries(dict.fromkeys((*WAY, *STAGES, "promise_ms"), whole_ms)))
def test_settings_stand_exactly_when_every_sum_fits(said):
    on_the_way = sum(said[name] for name in WAY) <= said["promise_ms"]
    inside = sum(said[name] for name in STAGES) + REST_MS <= said["budget_ms"]
    if on_the_way and inside:
        told(**said)
        return
    with pytest.raises(InvalidInput) as caught:
        told(**said)
    assert caught.value.field == ("serving.budget_ms" if on_the_way else "serving.promise_ms")


@law(100)
@given(parts=st.lists(st.floats(0.1, 30.0), min_size=2, max_size=2))
def test_what_fills_a_budget_to_the_last_bit_is_not_refused_for_rounding(parts):
    way_ms, pressure_ms = parts
    told(way_ms=way_ms, pressure_ms=pressure_ms, promise_ms=120.0 + way_ms + pressure_ms)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"way_ms": 30.0},
            "promise_ms is 180, but way_ms = 30 + pressure_ms = 40 + budget_ms = 120 make 190",
        ),
        (
            {"scorer_budget_ms": 60.5},
            "source_budget_ms = 30 + scorer_budget_ms = 60.5 + 5 for the rest make 125.5",
        ),
    ],
    ids=["promise", "worker"],
)
def test_a_sum_that_does_not_fit_is_told(said, message):
    with pytest.raises(InvalidInput) as caught:
        told(**said)
    assert caught.value.message.endswith(message)
    assert "lower " in caught.value.hint


def test_a_feed_within_its_budget_is_never_taken_for_hung():
    with pytest.raises(InvalidInput, match="its worker would be taken for hung") as caught:
        told(hang_s=0.7, budget_ms=700.0, promise_ms=1_000.0)
    assert caught.value.field == "http.hang_s"
    told(hang_s=0.7, budget_ms=699.0, promise_ms=1_000.0)


def test_settings_that_came_over_the_wire_are_held_to_it_too():
    with pytest.raises(InvalidInput, match=r"serving\.promise_ms is 100"):
        msgspec.convert({"serving": {"promise_ms": 100.0}}, Settings)
