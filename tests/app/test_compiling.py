"""``playbill warm`` compiles what a home calls; the folder may be copied elsewhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator

from playbill.app import layout
from playbill.app.compiling import compile_kernels


def warm(*arguments, cache=None):
    environment = dict(os.environ)
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-m", "playbill.cli", "warm", "--json", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, json.loads(ended.stdout)


def place_of(folder: Path) -> str:
    """Return what the folder is called under NUMBA_CACHE_DIR."""
    if folder.name != "__pycache__":
        return folder.name
    return UserProvidedCacheLocator.get_suitable_cache_subpath(str(folder.parent / "kernel.py"))


def test_what_was_compiled_once_is_found_again_wherever_it_is_copied(tmp_path):
    """Numba knows kernels by their sources' content and the processor, not by time or place."""
    _, first = warm()
    for folder in map(Path, first["folders"]):
        (tmp_path / place_of(folder)).mkdir()
        for file in (*folder.glob("*.nbi"), *folder.glob("*.nbc")):
            shutil.copyfile(file, tmp_path / place_of(folder) / file.name)
    status, again = warm("--check", cache=tmp_path)
    assert (status, again["compiled"]) == (0, 0)
    assert again["loaded"] > 20
    assert {Path(folder).parent for folder in again["folders"]} == {tmp_path}


def test_warming_leaves_nothing_in_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path)
    compile_kernels()
    assert list(tmp_path.iterdir()) == []
