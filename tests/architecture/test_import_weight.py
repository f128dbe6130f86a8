import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "pyarrow", "deltalake", "duckdb", "onnx", "polars", "pandas")
"""What trains or reads tables; processes that serve and the command line start without it."""

WATCHED_IMPORT = """
import importlib, json, sys
heavy = set(json.loads(sys.argv[2]))
asked = []

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            asked.append(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Watch())
try:
    importlib.import_module(sys.argv[1])
except ModuleNotFoundError as error:
    if error.name.partition(".")[0] not in heavy:
        raise
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"asked": asked, "loaded": loaded}))
"""


def imported_by(module, heavy=HEAVY):
    """Return what importing a module in a process of its own asks for and loads.

    What is heavy cannot be imported there, as on a machine without the extras.
    """
    command = [sys.executable, "-c", WATCHED_IMPORT, module, json.dumps(heavy)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "module",
    [
        "playbill.serving",
        "playbill.console",
        "playbill.app.worker_process",
        "playbill.app.updater_process",
    ],
)
def test_a_process_that_serves_never_asks_for_what_trains(module):
    found = imported_by(module)
    assert found["asked"] == []
    assert not set(HEAVY) & set(found["loaded"])


def test_the_command_line_starts_without_what_trains():
    found = imported_by("playbill.cli")
    assert found["asked"] == []


def test_importing_playbill_costs_nothing():
    found = imported_by("playbill")
    ours = {"numpy", "numba", "msgspec", "onnxruntime", "starlette", "lmdb", "cryptography"}
    assert found["asked"] == []
    assert not ours & set(found["loaded"])


def test_the_watch_sees_what_is_asked_for():
    assert imported_by("json", ("decimal",))["asked"] == []
    assert set(imported_by("fractions", ("numbers",))["asked"]) == {"numbers"}
