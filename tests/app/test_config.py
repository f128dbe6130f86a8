import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from playbill.app.config import (
    home_folder,
    key_folder,
    named_settings,
    overridden,
    read_settings,
    write_setting,
)
from playbill.contracts import Settings
from playbill.core import DependencyUnavailable, InvalidInput

laws = settings(max_examples=40, deadline=None, derandomize=True)


def tables(kind=Settings, path=()):
    """Yield each table of the settings: its path and the names in it."""
    fields = msgspec.structs.fields(kind)
    yield path, [field.name for field in fields]
    for field in fields:
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from tables(field.type, (*path, field.name))


NAMES = [(path, name) for path, names in tables() for name in names]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "playbill.toml"


def test_without_a_file_everything_is_as_documented(file):
    assert read_settings(file) == Settings()
    file.write_text("# nothing is said here\n")
    assert read_settings(file) == Settings()


def test_what_a_file_says_is_what_is_set_and_nothing_else(file):
    file.write_text(
        'regions = ["eu", "us"]\ndrills = true\n[serving]\nbudget_ms = 118\n[http]\nport = 9000\n'
    )
    told = read_settings(file)
    assert (told.regions, told.drills) == (("eu", "us"), True)
    assert (told.serving.budget_ms, told.http.port) == (118.0, 9000)
    assert msgspec.structs.replace(told.serving, budget_ms=120.0) == Settings().serving
    assert told.epochs == Settings().epochs


def test_budgets_that_do_not_add_up_are_refused_with_their_sum(file):
    file.write_text("[serving]\nbudget_ms = 90\n")
    with pytest.raises(InvalidInput) as caught:
        read_settings(file)
    assert caught.value.message == (
        "playbill.toml: serving.budget_ms is 90, but user_store_ms = 30 + source_budget_ms = 30 + "
        "scorer_budget_ms = 50 + 5 for the rest make 115"
    )
    assert caught.value.field == "serving.budget_ms"


@pytest.mark.parametrize(
    ("path", "name"), NAMES, ids=[".".join((*path, name)) for path, name in NAMES]
)
def test_a_misspelt_setting_is_an_error_that_names_the_right_one(file, path, name):
    misspelt = name + name[-1]
    head = f"[{'.'.join(path)}]\n" if path else ""
    file.write_text(f"{head}{misspelt} = 1\n")
    with pytest.raises(InvalidInput, match=r"there is no setting") as caught:
        read_settings(file)
    assert caught.value.field == ".".join((*path, misspelt))
    assert f"Did you mean {name!r}?" in caught.value.message
    assert caught.value.message.startswith("playbill.toml: ")
    assert caught.value.hint == "docs/settings.md lists all settings"


@pytest.mark.parametrize(
    ("table", "misspelt", "right"),
    [("", "author_caps", "author_cap"), (".value", "clicks", "click")],
)
def test_a_misspelt_override_is_named_with_its_surface(file, table, misspelt, right):
    text = (
        f"[serving.policies.fine]\ntopic_cap = 3\n[serving.policies.home{table}]\n{misspelt} = 1\n"
    )
    file.write_text(text)
    with pytest.raises(InvalidInput, match=rf"Did you mean '{right}'") as caught:
        read_settings(file)
    assert caught.value.field == f"serving.policies.home{table}.{misspelt}"


def test_a_policy_of_an_undeclared_surface_is_refused(file):
    file.write_text('surfaces = ["home"]\n[serving.policies.shorts]\nauthor_cap = 1\n')
    with pytest.raises(InvalidInput, match=r"playbill\.toml: .*no surface 'shorts'") as caught:
        read_settings(file)
    assert caught.value.field == "serving.policies.shorts"


def test_a_policy_can_be_written(file):
    file.write_text("[serving]  # mine\n")
    write_setting(file, {"serving.policies.home.author_cap": 1})
    assert read_settings(file).serving.policies["home"].author_cap == 1
    assert "[serving]  # mine" in file.read_text()


def test_a_setting_like_no_other_is_refused_without_a_guess(file):
    file.write_text("zebra = 1\n")
    with pytest.raises(InvalidInput, match=r"there is no setting 'zebra'\.$"):
        read_settings(file)


@pytest.mark.parametrize(
    ("text", "message", "field"),
    [
        ("[epochs]\ninterval_ms = 9\n", "`int` >= 10", "epochs.interval_ms"),
        ("[http]\nport = 65536\n", "`int` <= 65535", "http.port"),
        ('[http]\nport = "8700"\n', "Expected `int`, got `str`", "http.port"),
        ("[serving]\nexplore_share = 1.01\n", "`float` <= 1.0", "serving.explore_share"),
        ("regions = []\n", "length >= 1", "regions"),
        ('regions = ["eu", ""]\n', "length >= 1", "regions[1]"),
        ("serving = 3\n", "Expected `object`, got `int`", "serving"),
        (
            "[serving.policies.a]\ntopic_cap = 1\n[serving.policies.b]\nauthor_cap = 0\n",
            "`int` >= 1",
            "serving.policies.b.author_cap",
        ),
        (
            '[serving.policies.a.value]\nclick = "much"\n',
            "serving.policies.a.value.click: Expected `float",
            "serving.policies.a.value.click",
        ),
        ("[serving]\npolicies.a = 3\n", "Expected `object`, got `int`", "serving.policies.a"),
    ],
)
def test_a_value_outside_its_range_is_named_with_the_range(file, text, message, field):
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_settings(file)
    assert message in caught.value.message
    assert "`$" not in caught.value.message
    assert (caught.value.field, caught.value.code) == (field, "invalid_input")
    assert "docs/settings.md" in caught.value.hint


ONE, OTHER = "ab" * 32, "cd" * 32


@pytest.mark.parametrize("scopes", [["feed"], [], ["feed", "events", "catalogue", "control"]])
def test_api_keys_are_hashes_with_scopes(file, scopes):
    entries = {ONE: scopes, OTHER.upper(): ["metrics"]}
    text = "".join(
        f'"{digest}" = {msgspec.json.encode(of).decode()}\n' for digest, of in entries.items()
    )
    file.write_text(f"[api_keys]\n{text}")
    told = read_settings(file).api_keys
    assert {digest: list(of) for digest, of in told.items()} == entries


@pytest.mark.parametrize(
    "written", ["", "secret-key-of-mine", ONE[:-1], ONE + "a", "sha256:" + ONE, ONE[:-1] + "g"]
)
def test_an_api_key_that_is_no_hash_is_refused_and_not_shown(file, written):
    file.write_text(f'[api_keys]\n"{OTHER}" = ["feed"]\n"{written}" = ["feed"]\n')
    expected = f"entry 2 of api_keys has a name of {len(written)} characters; expected the SHA-256"
    with pytest.raises(InvalidInput, match=expected) as caught:
        read_settings(file)
    assert caught.value.field == "api_keys"
    assert caught.value.message.startswith("playbill.toml: ")
    assert "never the key itself" in caught.value.hint
    assert not written or written not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("scope", "guess"), [("fed", " Did you mean 'feed'?"), ("admin", ""), ("Feed", None), ("", "")]
)
def test_an_api_key_with_an_unknown_scope_is_refused(file, scope, guess):
    file.write_text(f'[api_keys]\n"{ONE}" = ["events", "{scope}"]\n')
    expected = f"entry 1 of api_keys, {ONE[:8]}…, has the scope '{scope}'; scopes are feed, events"
    with pytest.raises(InvalidInput, match=expected) as caught:
        read_settings(file)
    assert caught.value.field == "api_keys"
    assert ONE not in caught.value.message
    assert guess is None or caught.value.message.endswith(f"metrics.{guess}")


def test_an_api_key_that_is_there_twice_is_refused(file):
    file.write_text(f'[api_keys]\n"{ONE}" = ["feed"]\n"{ONE.upper()}" = ["events"]\n')
    with pytest.raises(
        InvalidInput, match="entries 1 and 2 of api_keys are the same hash"
    ) as caught:
        read_settings(file)
    assert caught.value.field == "api_keys"
    assert ONE not in caught.value.message.lower()
    assert "one entry" in caught.value.hint


def test_a_region_declared_twice_is_an_error_that_names_the_file(file):
    file.write_text('regions = ["eu", "us", "eu"]\n')
    with pytest.raises(
        InvalidInput, match=r"^playbill\.toml: regions declares 'eu' twice"
    ) as caught:
        read_settings(file)
    assert (caught.value.field, caught.value.hint) == ("regions", "name each one once")


@pytest.mark.parametrize("text", [b"regions = [", b"a\xff", b"drills = yes", b"[http\nport = 1"])
def test_what_is_not_toml_is_named_with_its_place(file, text):
    file.write_bytes(text)
    with pytest.raises(InvalidInput, match=r"playbill\.toml is not valid TOML") as caught:
        read_settings(file)
    assert caught.value.hint in ("mend the line it names", "write it in UTF-8")


def test_a_settings_file_that_is_a_folder_is_named(file):
    file.mkdir()
    with pytest.raises(InvalidInput, match=r"playbill\.toml cannot be read"):
        read_settings(file)


def test_setting_a_list_leaves_the_rest_of_the_file_as_it_was(file):
    file.write_text('# ours\nregions = ["eu"]\ndrills = true  # for now\n\n[http]\nport = 9000\n')
    write_setting(file, {"regions": ["eu", "us"], "surfaces": ["home"]})
    assert file.read_text() == (
        '# ours\nregions = ["eu", "us"]\ndrills = true  # for now\nsurfaces = ["home"]\n'
        "\n[http]\nport = 9000\n"
    )
    assert [path.name for path in file.parent.iterdir()] == ["playbill.toml"]


def test_setting_a_list_makes_the_file(file):
    write_setting(file, {"regions": ["eu"]})
    assert read_settings(file) == msgspec.structs.replace(Settings(), regions=("eu",))


@pytest.mark.parametrize("at", ["", "[http]\nport = 9000\n", "[training]\nseed = 3\n[http]\n"])
def test_a_value_of_a_table_goes_where_its_table_is(file, at):
    file.write_text(at)
    before = read_settings(file)
    for offset_h in (8, -3):
        write_setting(file, {"training.day_offset_h": offset_h, "regions": ["eu"]})
        training = msgspec.structs.replace(before.training, day_offset_h=offset_h)
        assert read_settings(file) == msgspec.structs.replace(
            before, regions=("eu",), training=training
        )
    assert file.read_text().count("day_offset_h") == 1


@pytest.mark.parametrize(
    "written",
    [
        'regions = [\n  "eu",\n  "us",  # both\n]\n',
        '  regions=["eu"]\n',
        'regions = [ # ours\n"]", "[",\n]\n',
    ],
)
def test_a_list_over_several_lines_is_replaced_whole(file, written):
    file.write_text(f"drills = true\n{written}example_users = []\n[http]\nport = 9000\n")
    write_setting(file, {"regions": ["as"]})
    told = read_settings(file)
    assert (told.regions, told.drills, told.http.port) == (("as",), True, 9000)
    assert "both" not in file.read_text()


def test_a_table_with_a_name_of_the_same_sound_is_not_touched(file):
    file.write_text("[http]\nport = 9000\n")
    write_setting(file, {"regions": ["eu"]})
    assert read_settings(file).http.port == 9000
    assert tomllib.loads(file.read_text())["regions"] == ["eu"]


def test_a_header_with_a_comment_is_the_header_of_its_table(file):
    file.write_text("[serving]  # mine\nann_quota = 3  # three\n[http]\nport = 9000\n")
    write_setting(file, {"serving.trace_share": 0.2, "serving.ann_quota": 4})
    told = read_settings(file)
    assert (told.serving.trace_share, told.serving.ann_quota, told.http.port) == (0.2, 4, 9000)
    assert "[serving]  # mine\nann_quota = 4  # three\n" in file.read_text()


@pytest.mark.parametrize(
    "written",
    [
        "serving = {ann_quota = 3}\n",
        "serving.ann_quota = 3\n",
        "[ serving ]\nann_quota = 3\n",
        '["serving"]\r\nann_quota = 3\r\n',
        "[serving] # the last line has no end\nann_quota = 3",
    ],
)
def test_a_table_is_found_however_it_is_written(file, written):
    file.write_text(written)
    for share in (0.2, 0.3):
        write_setting(file, {"serving.trace_share": share, "http.port": 9000})
        told = read_settings(file)
        assert (told.serving.ann_quota, told.serving.trace_share) == (3, share)
        assert told.http.port == 9000


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_keeps_its_mode_and_a_new_one_is_its_owners_only(file, mode):
    write_setting(file, {"drills": True})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(mode)
    write_setting(file, {"drills": False})
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_disk_that_refuses_leaves_the_file_and_says_so(file, monkeypatch):
    file.write_text("drills = true\n")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(DependencyUnavailable, match="cannot be written: No space") as caught:
        write_setting(file, {"drills": False})
    assert "free space" in caught.value.hint
    assert file.read_text() == "drills = true\n"
    assert [path.name for path in file.parent.iterdir()] == ["playbill.toml"]


def test_what_a_file_names_is_known_by_dotted_name(file):
    assert named_settings(file) == set()
    file.write_text("training.day_offset_h = 0\ndrills = false\n[http]\nport = 8700\n")
    assert named_settings(file) == {
        "training",
        "training.day_offset_h",
        "drills",
        "http",
        "http.port",
    }


@pytest.mark.parametrize(
    ("values", "message", "field"),
    [
        ({"http.workers": 0}, "http.workers: Expected `int` >= 1", "http.workers"),
        ({"http.workers": 500}, "http.workers: Expected `int` <= 256", "http.workers"),
        (
            {"http.port": 65_535, "http.collector_port": 65_536},
            "http.collector_port: Expected `int` <= 65535",
            "http.collector_port",
        ),
    ],
)
def test_what_goes_in_front_of_the_file_must_be_in_range_too(values, message, field):
    with pytest.raises(InvalidInput, match=f"^the command line: {message}$") as caught:
        overridden(Settings(), "the command line", values)
    assert caught.value.field == field


def test_what_goes_in_front_of_the_file_changes_nothing_else():
    moment = datetime(2022, 4, 25, tzinfo=UTC)
    before = msgspec.convert(
        {"training": {"rows_from": moment}, "regions": ["eu"], "api_keys": {ONE: ["feed"]}},
        Settings,
    )
    after = overridden(before, "the command line", {"http.workers": 3})
    assert after.http.workers == 3
    assert overridden(after, "the command line", {"http.workers": 2}) == before


@pytest.mark.parametrize(
    "values",
    [{"regions": []}, {"region": ["eu"]}, {"drills": [1]}, {"drills": None}, {"regions.eu": 1}],
)
def test_a_refused_value_leaves_the_file_and_its_folder_as_they_were(file, values):
    file.write_text('regions = ["eu"]\n')
    with pytest.raises(InvalidInput, match=r"^playbill\.toml"):
        write_setting(file, values)
    assert file.read_text() == 'regions = ["eu"]\n'
    assert [path.name for path in file.parent.iterdir()] == ["playbill.toml"]


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
lists = st.lists(names, min_size=1, max_size=5, unique=True)
tails = st.sampled_from(
    ["", "drills = true\n", "# a note\u2028on it\n", '[http]\nhost = "::1"\n', "[epochs]\n"]
)


@laws
@given(old=lists, new=lists, tail=tails)
def test_whatever_is_set_is_read_back_and_nothing_else_moves(tmp_path_factory, old, new, tail):
    file = tmp_path_factory.mktemp("home") / "playbill.toml"
    file.write_text(tail)
    before = tomllib.loads(tail)
    write_setting(file, {"regions": old})
    write_setting(file, {"regions": new})
    assert tomllib.loads(file.read_text()) == before | {"regions": new}
    left = [line for line in file.read_text().split("\n") if not line.startswith("regions")]
    assert list(filter(None, left)) == list(filter(None, tail.split("\n")))


@laws
@given(path=st.sampled_from([path for path, _ in tables() if path]), name=names)
def test_no_unknown_name_is_ever_ignored(tmp_path_factory, path, name):
    assume((path, name) not in NAMES)
    file = tmp_path_factory.mktemp("home") / "playbill.toml"
    quoted = msgspec.json.encode(name).decode()
    file.write_text(f"[{'.'.join(path)}]\n{quoted} = 1\n")
    with pytest.raises(InvalidInput, match="there is no setting"):
        read_settings(file)


def test_the_home_is_the_one_given_then_the_one_of_the_environment_then_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PLAYBILL_HOME", raising=False)
    assert home_folder(None) == tmp_path / ".playbill"
    monkeypatch.setenv("PLAYBILL_HOME", "elsewhere")
    assert home_folder(None) == tmp_path / "elsewhere"
    assert home_folder(Path("given")) == tmp_path / "given"
    monkeypatch.setenv("PLAYBILL_HOME", "")
    assert home_folder(None) == tmp_path / ".playbill"


def test_keys_lie_in_the_home_until_the_environment_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYBILL_KEYS", raising=False)
    assert key_folder(tmp_path) == tmp_path / "keys"
    monkeypatch.setenv("PLAYBILL_KEYS", "/run/secrets/playbill")
    assert key_folder(tmp_path) == Path("/run/secrets/playbill")


def test_a_relative_key_folder_stays_where_it_was_when_it_was_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAYBILL_KEYS", "secrets")
    found = key_folder(tmp_path / "home")
    monkeypatch.chdir("/")
    assert found == tmp_path / "secrets"
