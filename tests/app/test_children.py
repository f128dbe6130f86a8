"""What the supervisor's processes are started with."""

import subprocess
import sys

import pytest

from playbill.app.children import environment_of_children

TOLD = "import os; print(os.environ['GLIBC_TUNABLES'], os.environ['OMP_NUM_THREADS'])"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"),
        ("glibc.malloc.check=0", "glibc.malloc.check=0"),
    ],
)
def test_children_have_one_heap_of_large_pages_unless_somebody_tunes_it(monkeypatch, given, told):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if given:
        monkeypatch.setenv("GLIBC_TUNABLES", given)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    said = subprocess.check_output(
        [sys.executable, "-c", TOLD], env=environment_of_children(), text=True
    )
    assert said.split() == [told, "1"]
