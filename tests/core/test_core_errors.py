import inspect

import pytest

from playbill import core
from playbill.contracts import PROBLEMS
from playbill.core import (
    BrokenContract,
    Conflict,
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
    nearest_name,
)

KINDS = [
    kind
    for kind in vars(core).values()
    if inspect.isclass(kind) and issubclass(kind, PlaybillError) and kind is not Overloaded
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_carries_its_code_its_hint_and_its_field(kind):
    bare = kind("it is so")
    assert (bare.code, bare.hint, bare.field) == (kind.default_code, "", None)
    told = kind("it is so", code="item_capacity", hint="raise it", field="state.item_capacity")
    assert str(told) == told.message == "it is so"
    assert (told.code, told.hint, told.field) == (
        "item_capacity",
        "raise it",
        "state.item_capacity",
    )


@pytest.mark.parametrize("kind", [*KINDS, Overloaded])
def test_every_default_code_is_one_that_http_documents(kind):
    assert kind.default_code in PROBLEMS


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InvalidInput, 400),
        (NotFound, 404),
        (Conflict, 409),
        (Overloaded, 429),
        (BrokenContract, 500),
        (DependencyUnavailable, 503),
    ],
)
def test_each_kind_of_error_has_its_http_status(kind, status):
    assert PROBLEMS[kind.default_code][0] == status


def test_being_overloaded_says_when_to_come_back():
    refusal = Overloaded("the queue is full", retry_after_s=3, hint="send again")
    assert (refusal.retry_after_s, refusal.code, refusal.hint) == (3, "overloaded", "send again")
    assert isinstance(refusal, DependencyUnavailable)


def test_the_callers_mistakes_are_never_taken_for_ours():
    ours = (BrokenContract, DependencyUnavailable)
    for kind in (InvalidInput, NotFound, Conflict):
        assert issubclass(kind, InvalidInput)
        assert not issubclass(kind, ours)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("intervall_ms", " Did you mean 'interval_ms'?"),
        ("max_record", " Did you mean 'max_records'?"),
        ("interval_ms", " Did you mean 'interval_ms'?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_name_is_offered_and_nothing_far_fetched(name, said):
    assert nearest_name(name, iter(["interval_ms", "max_records", "checkpoint_s"])) == said


def test_no_name_is_offered_where_none_is_known():
    assert nearest_name("interval_ms", []) == ""
