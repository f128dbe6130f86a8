import msgspec
import pytest

from playbill.contracts import Event, User, Video
from playbill.core import InvalidInput
from playbill.importing.coercion import COERCIONS, Reading, coerce, fill
from playbill.importing.mapping import read_mapping

EVENTS = '[events]\npath = "e.jsonl"\nfields = { user_id = "u", at = "t", type = "k" }\n'


def _read(folder, text):
    (folder / "map.toml").write_text(text)
    return read_mapping(folder / "map.toml", folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[evnts]", r"map.toml: evnts is not a known key. Did you mean 'events'\?"),
        ("[videos]\npath = 'v.jsonl'", r"map.toml: events is missing"),
        ("[events]\npth = 'e'", r"events.pth is not a known key. Did you mean 'path'\?"),
        ("[events]\nfields = {}", r"events.path is missing"),
        (
            EVENTS.replace("user_id", "userid"),
            r"events.fields.userid is not a known field of an event. Did you mean 'user_id'\?",
        ),
        (
            EVENTS + '[videos]\npath = "v"\nfields = { titel = "x" }',
            r"videos.fields.titel is not a known field of a video. Did you mean 'title'\?",
        ),
        (
            EVENTS + '[users]\npath = "v"\nfields = { age = { colunm = "x" } }',
            r"users.fields.age.colunm is not a known option. Did you mean 'column'\?",
        ),
        (EVENTS + '[users]\npath = "v"\nfields = {}', r"users.fields.user_id is missing; map it"),
        (EVENTS + '[users]\npath = "v"\nfields = 3', r"users.fields is not a table of field"),
        (EVENTS.replace('"u"', "{}"), r"events.fields.user_id needs either a column or a constant"),
        (EVENTS.replace('"u"', "{ column = 3 }"), r"user_id is not usable: Expected `str \| null`"),
        (EVENTS.replace('"u"', '{ column = "u", scale = 2 }'), r"scale does not apply to user_id"),
        (
            EVENTS.replace('"t"', '{ column = "t", format = "epoch" }'),
            r"events.fields.at is not usable: Invalid enum value 'epoch'",
        ),
        (
            EVENTS.replace('"t"', '{ column = "t", format = "epoch_s", map = { a = 1 } }'),
            r"at.format cannot stand beside map or constant",
        ),
        (EVENTS.replace('"u"', '{ constant = "u", default = "x" }'), r"leaves map and default no"),
        (
            EVENTS.replace('"k"', '{ column = "k", map = { tap = "clik" } }'),
            r"events.fields.type gives 'clik', which is no event type. Did you mean 'click'\?",
        ),
        (EVENTS.replace('"t"', '{ constant = "x" }'), r"at gives an unusable value: at is not an"),
        (EVENTS + '[[events.emit]]\ntype = "like"', r"either events.fields.type or \[\[events.em"),
        (EVENTS.replace(', type = "k"', ""), r"either events.fields.type or \[\[events.emit\]\]"),
        (EVENTS + 'emit = [{ typ = "like" }]', r"events.emit\[0\].typ is not a known key. Did"),
        (EVENTS + "emit = [{}]", r"events.emit\[0\].type is missing"),
        (EVENTS + 'emit = [{ type = "lik" }]', r"emit\[0\].type gives 'lik', which is no event"),
        (EVENTS + 'emit = [{ type = "like", delay_ms = -1 }]', r"delay_ms is not a whole number"),
        (EVENTS + 'emit = [{ type = "like", when = 1 }]', r"when is not the name of a column"),
        (
            EVENTS + 'emit = [{ type = "like", fields = { type = "k" } }]',
            r"emit\[0\].fields.type is already said by events.emit\[0\].type",
        ),
        (EVENTS + "emit = 3", r"events.emit is not a list"),
        (EVENTS + "sorted = 1", r"events.sorted is not true or false"),
        ("[events]\npath = e", r"map.toml is not TOML: .* \(at line 2, column 8\)"),
    ],
)
def test_a_wrong_mapping_names_the_file_the_key_and_the_nearest_right_one(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        _read(tmp_path, text)
    assert caught.value.message.startswith("map.toml")


def test_a_section_names_each_column_it_reads_once(tmp_path):
    text = """
        [events]
        path = "e.jsonl"
        fields = { user_id = "u", at = "t", video_id = "v" }
        emit = [{ type = "like", when = "l", fields = { at = "t" } }, { type = "hide", when = "h" }]
    """
    assert _read(tmp_path, text).events.columns() == ["u", "t", "v", "l", "h"]


def test_every_field_of_the_contracts_can_be_mapped():
    contracts = (Video, User, Event)
    fields = {field.name for kind in contracts for field in msgspec.structs.fields(kind)}
    assert fields | {"received_at"} == set(COERCIONS)


@pytest.mark.parametrize(
    ("target", "cell", "options", "value"),
    [
        ("user_id", 7, {}, "7"),
        ("user_id", 7.0, {}, "7"),
        ("watch_ms", "1.5", {"scale": 1000}, 1_500),
        ("watch_ms", 10**15 + 1, {}, 10**15 + 1),
        ("long_view", "True", {}, True),
        ("long_view", 0.0, {}, False),
        ("topics", "a, b ,a", {"split": ","}, ["a", "b"]),
        ("topics", "a, b", {}, ["a, b"]),
        ("topics", ["x", 3, ""], {}, ["x", "3"]),
        ("topics", 3, {}, ["3"]),
        ("at", 1.25, {"format": "epoch_s"}, 1_250),
        ("at", "1970-01-01T00:00:01.5Z", {}, 1_500),
        ("at", 1_700_000_000_000, {}, 1_700_000_000_000),
        ("at", 0, {}, 0),
    ],
)
def test_a_cell_becomes_the_sort_of_value_that_its_field_takes(target, cell, options, value):
    found = coerce(target, cell, Reading(column="c", **options))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("target", "cell", "options", "message"),
    [
        ("user_id", True, {}, "user_id is not a text or a whole number"),
        ("watch_ms", True, {}, "watch_ms is not a number"),
        ("watch_ms", "long", {}, "watch_ms is not a number"),
        ("watch_ms", float("inf"), {}, "watch_ms is not a number"),
        ("long_view", 2, {}, "long_view is not true, false, 1 or 0"),
        ("at", "1970-01-01T00:00:01", {}, "at is not an instant with its zone"),
        ("at", 5, {"format": "rfc3339"}, "at is not an instant such as"),
        ("at", -5, {"format": "epoch_s"}, "at is not between 1970 and 2099"),
        ("at", 1e15, {}, "at is not between 1970 and 2099"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_without_being_shown(target, cell, options, message):
    with pytest.raises(InvalidInput, match=message):
        coerce(target, cell, Reading(column="c", **options))


@pytest.mark.parametrize("cell", [None, "", float("nan")])
def test_an_empty_cell_takes_the_default_or_leaves_the_field_out(cell):
    row = {} if cell is None else {"c": cell}
    assert fill("age", row, Reading(column="c")) is None
    assert fill("age", row, Reading(column="c", default=18)) == 18


def test_a_map_goes_by_the_text_of_the_cell_and_then_by_the_default():
    reading = Reading(column="c", map={"1": "a", "true": "b"}, default="z")
    assert [fill("region", {"c": cell}, reading) for cell in (1, "1", True, 2)] == list("aabz")
