import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import AdmissionSettings, Settings, settings_digest
from playbill.core import InvalidInput, canonical_json, content_digest

laws = settings(max_examples=60, deadline=None, derandomize=True)


def leaves(table, path=()):
    """Yield the path and the default of every single setting."""
    for name in table.__struct_fields__:
        value = getattr(table, name)
        if isinstance(value, msgspec.Struct):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


LEAVES = dict(leaves(Settings()))


def other_than(path, value):
    """Return another value than the default of a setting, one that its range takes."""
    if path == ("serving", "policies"):
        return {"home": {"author_cap": 1}}
    if path == ("serving", "promise_ms"):
        return value + 0.125
    if path == ("state", "resident_gib") or path[-1].endswith("_window_s"):
        return 1
    if path[-1] in ("long_view_longest", "explored_weight"):
        return 0.5
    if path[0] == "rates":
        return {"per_s": 10.5, "burst": 20}
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + (0.125 if value <= 1.0 else -0.125)
        case (int(), *_):
            return (*value, 16)
        case tuple():
            return (*value, "elsewhere")
        case "hybrid":
            return "rows"
        case str():
            return "0.0.0.0"
        case None:
            return "2022-04-24T16:00:00Z"
        case _:
            return {"0" * 64: ("feed",)}


def with_value(path, value):
    table = {path[-1]: value}
    for name in reversed(path[:-1]):
        table = {name: table}
    return msgspec.convert(table, Settings)


def test_the_digest_is_that_of_the_canonical_json_of_every_value():
    told = msgspec.to_builtins(Settings())
    assert settings_digest(Settings()) == content_digest(canonical_json(told))
    assert told["admission"]["max_ahead_s"] == 300


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_changing_any_one_setting_changes_the_digest(path):
    changed = with_value(path, other_than(path, LEAVES[path]))
    assert changed != Settings()
    assert settings_digest(changed) != settings_digest(Settings())


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_saying_a_default_aloud_changes_nothing(path):
    said = with_value(path, LEAVES[path])
    assert settings_digest(said) == settings_digest(Settings())


@laws
@given(budget_ms=st.floats(115, 120), seed=st.integers(0, 1_000), drills=st.booleans())
def test_settings_survive_being_written_and_read(budget_ms, seed, drills):
    told = msgspec.convert(
        {"serving": {"budget_ms": budget_ms}, "training": {"seed": seed}, "drills": drills},
        Settings,
    )
    back = msgspec.json.decode(msgspec.json.encode(told), type=Settings)
    assert back == told
    assert settings_digest(back) == settings_digest(told)


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        (("admission", "max_ahead_s"), 1, 366 * 86_400),
        (("admission", "idempotence_s"), 86_400, 30 * 86_400),
        (("epochs", "interval_ms"), 10, 60_000),
        (("http", "port"), 1, 65_535),
        (("http", "workers"), 1, 256),
        (("serving", "explore_share"), 0, 1),
        (("training", "seed"), 0, 2**31 - 1),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_a_setting_takes_the_edges_of_its_range_and_nothing_beyond(path, least, most):
    for inside in (least, most):
        with_value(path, inside)
    for outside in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError, match=rf"\$\.{path[0]}\.{path[1]}"):
            with_value(path, outside)


@laws
@given(path=st.sampled_from(list(LEAVES)), suffix=st.sampled_from(["s", "_", "2", "x"]))
def test_a_setting_nobody_declared_is_refused(path, suffix):
    name = path[-1] + suffix
    if (*path[:-1], name) in LEAVES:
        return
    with pytest.raises(msgspec.ValidationError, match=rf"unknown field `{re.escape(name)}`"):
        with_value((*path[:-1], name), 1)


def test_settings_cannot_be_changed_once_read():
    with pytest.raises(AttributeError, match="immutable"):
        AdmissionSettings().max_ahead_s = 5


@pytest.mark.parametrize("name", ["regions", "surfaces"])
def test_there_is_always_a_region_and_a_surface(name):
    with pytest.raises(msgspec.ValidationError, match="length >= 1"):
        msgspec.convert({name: []}, Settings)


@pytest.mark.parametrize("name", ["regions", "surfaces"])
@pytest.mark.parametrize("names", [["eu", "eu"], ["eu", "us", "eu"], ["a", "b", "b", "a"]])
def test_a_region_or_surface_is_declared_once(name, names):
    """Its place in the list is its code in the log; it cannot have two."""
    for made in (
        lambda: msgspec.convert({name: names}, Settings),
        lambda: Settings(**{name: names}),
    ):
        with pytest.raises(InvalidInput, match=rf"{name} declares '(eu|b)' twice") as caught:
            made()
        assert caught.value.field == name
    msgspec.convert({name: ["eu", "EU", "eu "]}, Settings)


def test_codes_of_regions_and_surfaces_fit_their_bytes():
    for name, most in (("regions", 32), ("surfaces", 64)):
        msgspec.convert({name: [f"n{n}" for n in range(most)]}, Settings)
        with pytest.raises(msgspec.ValidationError, match=f"length <= {most}"):
            msgspec.convert({name: [f"n{n}" for n in range(most + 1)]}, Settings)
