"""A home remembers what its log was folded with, and says so before it is folded otherwise."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.app import layout
from playbill.app.home_record import (
    RECORD_FORMAT,
    check_record,
    read_record,
    settle_record,
)
from playbill.app.verbs import Home
from playbill.app.wiring import Wiring
from playbill.contracts import Batch, BatchKind, Settings
from playbill.core import Conflict, DependencyUnavailable, InvalidInput
from playbill.events import Admission, EpochInput
from playbill.features import FeatureState, Fold, MemoryUserState

laws = settings(max_examples=60, deadline=None, derandomize=True)

OURS = {"regions": ["north", "south"], "surfaces": ["home", "search"]}
NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True)


def told(**tables) -> Settings:
    return msgspec.convert({**OURS, **tables}, Settings)


@pytest.fixture(autouse=True)
def _nothing_stays_in_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "home.json"


def written(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    (home / "playbill.toml").write_text(text)
    return home


TOML = 'regions = ["north", "south"]\nsurfaces = ["home"]\n'


def live_a_little(home: Path) -> Wiring:
    """Open the home for writing and put something into its log."""
    wiring = Wiring.of(home)
    writer = wiring.log_to_write().writer("serve-2")
    writer.append([Batch(BatchKind.EVENTS, 1, b"something")], 1_000)
    writer.close()
    return wiring


def test_a_record_says_which_home_it_is_and_what_it_was_folded_with(path):
    record = settle_record(path, told(), begun=True)
    assert read_record(path) == record
    assert json.loads(path.read_text()) == {
        "format": RECORD_FORMAT,
        "home": record.home,
        "folded_with": {
            **OURS,
            "labels.long_view_ms": 18_000,
            "admission.idempotence_s": 86_400,
            "state.item_capacity": 1 << 20,
            "state.group_capacity": 1 << 18,
        },
    }
    assert re.fullmatch("[0-9a-f]{32}", record.home)
    assert path.read_text().count("\n") > 5


def test_two_homes_have_two_ids_and_one_keeps_its_own(tmp_path):
    ids = [settle_record(tmp_path / f"{n}.json", told(), begun=True).home for n in range(20)]
    assert len(set(ids)) == 20
    assert settle_record(tmp_path / "3.json", told(), begun=True).home == ids[3]


def test_the_same_settings_write_nothing(path):
    settle_record(path, told(), begun=True)
    before = path.stat()
    settle_record(path, told(serving={"budget_ms": 118}, drills=True), begun=True)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


CONTRADICTIONS = [
    ({"regions": ["south", "north"]}, "regions", '["north","south"]', "begin it with"),
    ({"regions": ["north"]}, "regions", '["north","south"]', "begin it with"),
    ({"regions": ["north", "west", "south"]}, "regions", '["north","south"]', "begin it with"),
    ({"surfaces": ["search", "home"]}, "surfaces", '["home","search"]', "begin it with"),
    ({"labels": {"long_view_ms": 20_000}}, "labels.long_view_ms", "18000", "set labels.long_"),
    ({"admission": {"idempotence_s": 90_000}}, "admission.idempotence_s", "86400", "set admiss"),
    ({"state": {"item_capacity": 10}}, "state.item_capacity", "1048576", "1048576 or more"),
    ({"state": {"group_capacity": 10}}, "state.group_capacity", "262144", "262144 or more"),
]


@pytest.mark.parametrize(("changed", "name", "old", "advice"), CONTRADICTIONS)
def test_a_contradiction_names_the_setting_both_values_and_the_cure(
    path, changed, name, old, advice
):
    settle_record(path, told(), begun=True)
    text = path.read_bytes()
    other = told(**changed)
    with pytest.raises(Conflict, match="the history of this home was folded with") as caught:
        settle_record(path, other, begun=True)
    error = caught.value
    now = changed
    for part in name.split("."):
        now = now[part]
    assert error.field == name
    assert error.message.startswith(f"{name} is {msgspec.json.encode(now).decode()}, but")
    assert error.message.endswith(old)
    assert advice in error.hint
    assert old in error.hint
    assert path.read_bytes() == text


@pytest.mark.parametrize(
    ("changed", "name", "value"),
    [
        ({"regions": ["north", "south", "west"]}, "regions", ["north", "south", "west"]),
        ({"surfaces": ["home", "search", "tv"]}, "surfaces", ["home", "search", "tv"]),
        ({"state": {"item_capacity": 1 << 21}}, "state.item_capacity", 1 << 21),
    ],
)
def test_what_is_added_at_the_end_is_recorded_and_binds_from_then_on(path, changed, name, value):
    first = settle_record(path, told(), begun=True)
    record = settle_record(path, told(**changed), begun=True)
    assert record.home == first.home
    assert record.folded_with == {**first.folded_with, name: value}
    with pytest.raises(Conflict, match=name):
        settle_record(path, told(), begun=True)


@laws
@given(before=NAMES, now=NAMES)
def test_a_list_may_only_grow_at_its_end(tmp_path_factory, before, now):
    path = tmp_path_factory.mktemp("home") / "home.json"
    record = settle_record(path, told(regions=before), begun=True)
    if now[: len(before)] == before:
        check_record(record, told(regions=now))
        return
    with pytest.raises(Conflict, match="regions"):
        check_record(record, told(regions=now))


def test_while_the_log_is_empty_settings_change_freely_and_the_id_stays(path):
    first = settle_record(path, told(), begun=False)
    other = told(regions=["else"], labels={"long_view_ms": 5})
    record = settle_record(path, other, begun=False)
    assert record.home == first.home
    assert record.folded_with["regions"] == ["else"]
    with pytest.raises(Conflict):
        settle_record(path, told(), begun=True)


def test_a_record_that_lacks_a_setting_adopts_the_present_value(path):
    first = settle_record(path, told(), begun=True)
    kept = {name: value for name, value in first.folded_with.items() if "long" not in name}
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(first, folded_with=kept)))
    record = settle_record(path, told(labels={"long_view_ms": 7}), begun=True)
    assert record.folded_with["labels.long_view_ms"] == 7


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Input data was truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"format": 2, "towers": 1}', "format 2; this version reads 1"),
        (b'{"format": 1, "home": "x"}', "folded_with"),
        (b'{"format": 1, "home": "x", "folded_with": {"regions": [1]}}', "Expected `str`"),
    ],
)
def test_a_damaged_record_is_never_taken_for_a_missing_one(path, text, why):
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(InvalidInput, match=r"home\.json cannot be read") as caught:
        settle_record(path, told(), begun=True)
    assert why in caught.value.message
    assert "backup" in caught.value.hint
    assert path.read_bytes() == text


def test_a_value_of_another_kind_is_a_contradiction(path):
    record = settle_record(path, told(), begun=True)
    odd = msgspec.structs.replace(record, folded_with={"regions": 3, "state.item_capacity": ["a"]})
    with pytest.raises(Conflict, match="regions is"):
        check_record(odd, told())


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_record_as_it_was(path, monkeypatch, call):
    first = settle_record(path, told(), begun=True)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os if call == "fsync" else Path, call, refuse)
        with pytest.raises(DependencyUnavailable, match=r"home\.json cannot be written: No space"):
            settle_record(path, told(regions=["north", "south", "west"]), begun=True)
    assert read_record(path) == first


_RACE = """
import json, sys
from pathlib import Path
from playbill.app.home_record import settle_record
from playbill.contracts import Settings
from playbill.core import Conflict
folder, mine = Path(sys.argv[1]), sys.argv[2]

def each(regions):
    wanted = Settings(regions=regions)
    for n in range(40):
        try:
            yield settle_record(folder / f"{n}" / "home.json", wanted, begun=True)
        except Conflict:
            yield None

print("ready", flush=True)
for regions in (("a",), ("a", mine)):
    sys.stdin.readline()
    print(json.dumps([record and record.home for record in each(regions)]), flush=True)
"""


def test_processes_that_open_a_home_at_once_agree_on_one_record(tmp_path):
    """They make forty homes together; then each adds a region, and one of them comes first."""
    with contextlib.ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _RACE, str(tmp_path), mine],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for mine in "cde"
        ]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 3
        rounds = []
        for _ in range(2):
            for racer in racers:
                racer.stdin.write("go\n")
                racer.stdin.flush()
            rounds.append([json.loads(racer.stdout.readline()) for racer in racers])
    kept = [read_record(tmp_path / str(n) / "home.json").home for n in range(40)]
    assert rounds[0] == [kept] * 3
    for home, *winners in zip(kept, *rounds[1], strict=True):
        assert sorted(map(str, winners)) == sorted([home, "None", "None"])


def test_opening_a_home_that_its_settings_contradict_is_refused(tmp_path):
    home = written(tmp_path / "home", TOML)
    live_a_little(home)
    written(home, TOML.replace('"north", "south"', '"south", "north"'))
    for opened in (Wiring.of, Home):
        with pytest.raises(
            Conflict, match=r"regions is .*south.*north.*, but the history"
        ) as caught:
            opened(home)
        assert caught.value.field == "regions"
    written(home, TOML)
    Home(home)


def test_a_home_whose_log_is_empty_may_be_set_up_again(tmp_path):
    home = written(tmp_path / "home", TOML)
    wiring = Wiring.of(home)
    first = wiring.settle()
    wiring.log_to_write().writer("serve-2").close()
    assert not wiring.begun()
    written(home, 'regions = ["else"]\n')
    again = Wiring.of(home)
    with pytest.raises(Conflict, match="regions"):
        again.log_to_write()
    with again.alone():
        record = again.settle()
    assert (record.home, record.folded_with["regions"]) == (first.home, ["else"])
    again.log_to_write()


def test_nothing_is_written_into_a_home_that_is_only_looked_at(tmp_path):
    wiring = Home(tmp_path / "home").wiring
    assert wiring.home_id() is None
    assert not wiring.begun()
    assert not (tmp_path / "home").exists()


def test_an_older_home_without_a_record_goes_on_and_gets_one(tmp_path):
    home = written(tmp_path / "home", TOML)
    wiring = live_a_little(home)
    wiring.layout.record.unlink()
    Home(home).wiring.log_to_write()
    assert read_record(wiring.layout.record).folded_with["regions"] == ["north", "south"]
    with pytest.raises(Conflict):
        Home(written(home, 'regions = ["south"]\n'))


def test_whoever_opens_the_log_to_write_puts_the_settings_on_record(tmp_path):
    collected = Wiring.of(tmp_path / "collected")
    collected.collector("serve-2").close()
    updated = Wiring.of(tmp_path / "updated")
    users = updated.users(writer=True)
    updated.layout.make()
    updated.updater(users, updated.items(create=True))
    users.close()
    for wiring in (collected, updated):
        assert re.fullmatch("[0-9a-f]{32}", wiring.home_id())


def test_configure_refuses_a_contradiction_before_it_writes(tmp_path):
    home = written(tmp_path / "home", TOML)
    live_a_little(home)
    with pytest.raises(Conflict, match="surfaces"):
        Home(home).configure(surfaces=["feed"])
    assert (home / "playbill.toml").read_text() == TOML
    Home(home).configure(surfaces=["home", "feed"])
    assert Home(home).settings.surfaces == ("home", "feed")


class _Needs:
    """A history that names regions and surfaces."""

    def __init__(self, regions, surfaces):
        self.regions, self.surfaces = regions, surfaces
        self.training = {}

    def declared(self):
        return self

    def videos(self):
        return iter([{"video_id": "v1", "author_id": "a", "title": "", "duration_ms": 9_000}])

    def users(self):
        return iter([{"user_id": "ann", "region": self.regions[-1]}])

    def events(self):
        at = {"user_id": "ann", "video_id": "v1", "region": self.regions[-1]}
        yield 70_000, {"event_id": "1", "type": "click", "at": 70_000, **at}


def test_a_history_replaces_the_default_regions_only_before_the_log_begins(tmp_path):
    fresh, begun = tmp_path / "fresh", tmp_path / "begun"
    live_a_little(begun)
    needs = _Needs(("east",), ("home",))
    for home in (fresh, begun):
        Home(home).declare(needs)
    assert Home(fresh).settings.regions == ("east",)
    assert Home(begun).settings.regions == ("world", "east")


def test_an_import_puts_what_it_declared_on_record(tmp_path):
    home = Home(tmp_path / "home")
    home.wiring.recorded()
    home.import_history(_Needs(("east", "west"), ("home",)))
    folded_with = read_record(home.wiring.layout.record).folded_with
    assert folded_with["regions"] == ["east", "west"]
    assert home.verify_state().equal
    with pytest.raises(Conflict, match="regions"):
        home.configure(regions=["west", "east"])


class _Spy:
    """Settings that note which of them are read."""

    def __init__(self, value, read, name=""):
        self._value, self._read, self._name = value, read, name

    def __getattr__(self, part):
        value = getattr(self._value, part)
        name = f"{self._name}.{part}".lstrip(".")
        if isinstance(value, msgspec.Struct):
            return _Spy(value, self._read, name)
        self._read.add(name)
        return value


def test_the_record_holds_every_setting_that_the_fold_and_the_codes_of_the_log_read(path):
    read = set()
    spied = _Spy(Settings(), read)
    state = FeatureState.empty(spied)
    Fold(spied, state, MemoryUserState()).absorb(EpochInput(1, 1_000))
    Admission(spied, None, None)
    assert read == set(settle_record(path, Settings(), begun=True).folded_with)
