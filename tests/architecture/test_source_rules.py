import ast
import sys

import pytest
from source_tree import SOURCE, STATIONS, files, imported_modules, short, tree, uses

OUTSIDE_APP = [path for path in files() if SOURCE / "app" not in path.parents]
NUMPY_RANDOM_BY_SEED = {"Generator", "SeedSequence", "PCG64", "Philox"}
SECRETS_DRAWN = {
    "privacy/sealing.py": {"secrets.token_bytes"},
    "privacy/adapters/file_keys.py": {"secrets.token_bytes", "secrets.token_hex"},
    "console/guard.py": {"secrets.token_urlsafe"},
}
"""Nonces, keys and tokens must not be foreseen; nothing that is replayed depends on them."""
CLOCKS = (
    "time.",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
)
ENVIRONMENT = ("os.environ", "os.getenv", "os.putenv", "os.path.expanduser", "pathlib.Path.home")
CHANCE = ("random.", "os.urandom", "uuid.uuid1", "uuid.uuid4", "secrets.")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def places(paths, forbidden):
    """Return where the files use a forbidden name."""
    return [
        f"{short(path)}:{node.lineno} {name}"
        for path in paths
        for name, node in uses(path)
        if name.startswith(forbidden)
    ]


def test_the_scan_sees_what_it_forbids():
    source = SOURCE / "app" / "clock.py"
    assert {name for name, _ in uses(source)} >= {"time.time_ns", "time.monotonic"}
    config = {name for name, _ in uses(SOURCE / "app" / "config.py")}
    assert config >= {"os.environ", "pathlib.Path.home"}


def test_only_app_asks_what_time_it_is():
    assert places(OUTSIDE_APP, CLOCKS) == []
    assert [short(path) for path in OUTSIDE_APP if "time" in imported_modules(path)] == []


def test_only_app_reads_the_environment():
    """One other file sets a variable: what a library is to leave alone."""
    found = places(OUTSIDE_APP, ENVIRONMENT)
    assert [place.partition(":")[0] for place in found] == ["models/silent_onnx.py"]


def test_chance_comes_from_a_seed_or_for_secrets_from_the_system():
    drawn: dict[str, set[str]] = {}
    for place in places(OUTSIDE_APP, CHANCE):
        where, _, name = place.partition(" ")
        drawn.setdefault(where.partition(":")[0], set()).add(name)
    assert drawn == SECRETS_DRAWN


def test_numpy_draws_from_generators_that_were_given_a_seed():
    wrong = []
    for path in OUTSIDE_APP:
        seeded = {
            id(node.func)
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and (node.args or node.keywords)
        }
        for name, node in uses(path):
            _, found, rest = name.partition("numpy.random.")
            if found and not (
                rest in NUMPY_RANDOM_BY_SEED or (rest == "default_rng" and id(node) in seeded)
            ):
                wrong.append(f"{short(path)}:{node.lineno} {name}")
    assert wrong == []


def test_nothing_depends_on_the_hash_of_a_text_which_changes_with_each_process():
    called = [
        f"{short(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash"
    ]
    assert called == []


def catches_our_bugs(node):
    """Tell whether a node is a handler of what only the border may handle."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        kinds = node.args
    elif isinstance(node, ast.ExceptHandler) and not isinstance(node.body[0], ast.Raise):
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    else:
        return False
    named = {kind and ast.unparse(kind) for kind in kinds}
    return bool(named & {None, "Exception", "BaseException", "BrokenContract"})


def test_bugs_are_caught_at_the_outermost_border_only():
    caught = [
        f"{short(path)}:{node.lineno}"
        for path in OUTSIDE_APP
        for node in ast.walk(tree(path))
        if catches_our_bugs(node)
    ]
    assert caught == []
    assert any(catches_our_bugs(node) for node in ast.walk(tree(SOURCE / "app" / "border.py")))


@pytest.mark.parametrize(
    ("station", "libraries"),
    [
        ("core", set()),
        ("contracts", {"msgspec", "numpy"}),
        ("privacy", {"cryptography"}),
        ("events", {"msgspec", "numpy"}),
    ],
)
def test_the_lowest_stations_lean_on_these_libraries_only(station, libraries):
    named = {
        module.partition(".")[0] for path in files(station) for module in imported_modules(path)
    }
    assert named - set(sys.stdlib_module_names) - {"playbill"} == libraries


def test_identities_are_made_where_the_design_says():
    makers = {
        short(path).partition("/")[0]
        for path in files()
        for name, _ in uses(path)
        if name.startswith("playbill.privacy.Pseudonyms")
    }
    assert makers == {"app", "events", "serving"}


def test_no_file_is_longer_than_400_lines():
    lengths = {short(path): len(path.read_text("utf-8").splitlines()) for path in files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_60_lines():
    longest = {
        f"{short(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in longest.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("station", STATIONS)
def test_a_station_says_on_one_screen_what_it_is(station):
    readme = SOURCE / station / "README.md"
    assert readme.is_file(), f"{station} has no README.md"
    text = readme.read_text("utf-8")
    assert text.startswith(f"# {station}")
    assert "can go wrong" in text.lower()


@pytest.mark.parametrize("station", STATIONS)
def test_the_front_of_a_station_only_names_what_others_may_use(station):
    front = tree(SOURCE / station / "__init__.py")
    assert ast.get_docstring(front)
    offered: list[str] = []
    imported: list[str] = []
    for node in front.body[1:]:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            offered = ast.literal_eval(node.value)
        elif isinstance(node, ast.ImportFrom):
            imported += [alias.asname or alias.name for alias in node.names]
        else:
            pytest.fail(f"{station}/__init__.py:{node.lineno} does more than re-export")
    assert sorted(offered) == sorted(set(imported))


@pytest.mark.parametrize("station", STATIONS)
def test_no_folder_is_named_after_nothing(station):
    shelves = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
    names = {path.stem for path in (SOURCE / station).rglob("*")} | {station}
    assert names & shelves == set()
