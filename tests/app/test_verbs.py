"""The verbs of a home: what they refuse, and what they leave alone."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from playbill.app import layout
from playbill.app.verbs import Home
from playbill.app.wiring import Wiring
from playbill.cli.main import app
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.serving import Drill


@pytest.fixture(autouse=True)
def _nothing_stays_in_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")


def home_of(tmp_path, text=""):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "playbill.toml").write_text(text)
    return Home(tmp_path / "home")


def history(**training):
    needed = SimpleNamespace(regions=("cn",), surfaces=("tab",), training=training)
    return SimpleNamespace(declared=lambda: needed)


@pytest.mark.parametrize(
    "text", ["training.day_offset_h = 0\n", "[training] # ours\nday_offset_h = 0\n"]
)
def test_what_the_file_says_is_kept_even_where_it_says_the_default(tmp_path, text):
    home = home_of(tmp_path, text)
    added = home.declare(history(day_offset_h=8, epochs=3))
    assert added == ["cn", "tab", "training.epochs"]
    assert (home.settings.training.day_offset_h, home.settings.training.epochs) == (0, 3)


def test_a_declared_list_is_added_to_and_an_undeclared_one_replaced(tmp_path):
    home = home_of(tmp_path, 'regions = ["world"]\n')
    home.declare(history())
    assert (home.settings.regions, home.settings.surfaces) == (("world", "cn"), ("tab",))
    assert home.declare(history()) == []


@pytest.mark.parametrize("run_folder_is_there", [False, True])
def test_a_drill_needs_a_home_that_runs(tmp_path, run_folder_is_there):
    home = home_of(tmp_path, "drills = true\n")
    if run_folder_is_there:
        home.wiring.layout.make()
    with pytest.raises(DependencyUnavailable, match="no playbill runs on this home") as refusal:
        home.drill(Drill.SCORER_SLOW, 1.0)
    assert refusal.value.hint == "start playbill up first"


def test_a_misspelt_protocol_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(InvalidInput, match=r"no protocol 'roling'.* 'rolling'") as refusal:
        home_of(tmp_path).evaluate("roling")
    assert (refusal.value.field, refusal.value.hint) == (
        "protocol",
        "protocols are quick, rolling, staleness, leave-one-out, cold-start, off-policy",
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"workers": 0}, r"http\.workers: Expected `int` >= 1"),
        ({"workers": 500}, r"http\.workers: Expected `int` <= 256"),
        ({"port": 65_535}, r"http\.collector_port: Expected `int` <= 65535"),
        ({"port": 0}, r"http\.port: Expected `int` >= 1"),
    ],
)
def test_the_command_line_cannot_leave_the_ranges_of_the_settings(tmp_path, said, message):
    wiring = Wiring.of(tmp_path / "home")
    with pytest.raises(InvalidInput, match=f"^the command line: {message}"):
        wiring.override(**said)


def test_the_command_line_goes_in_front_of_the_file(tmp_path):
    wiring = home_of(tmp_path, "[http]\nport = 9000\ncollector_port = 7000\n").wiring
    assert wiring.override().settings == wiring.settings
    assert wiring.override(port=9000).settings == wiring.settings
    http = wiring.override(port=65_534, workers=256).settings.http
    assert (http.port, http.collector_port, http.workers) == (65_534, 65_535, 256)


@pytest.mark.parametrize(
    "words", [["--workers", "0"], ["--workers", "500"], ["--port", "65535"], ["--port", "0"]]
)
def test_up_refuses_what_is_out_of_range_before_it_starts_anything(tmp_path, words):
    home = tmp_path / "home"
    ended = CliRunner().invoke(app, ["up", "--home", str(home), *words])
    assert ended.exit_code == 2
    assert not home.exists()
