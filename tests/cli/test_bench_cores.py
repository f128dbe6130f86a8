"""What the host of a virtual machine kept from it is told beside what was measured."""

import os

import pytest

from playbill.benchmarks import cores


@pytest.mark.parametrize(
    ("line", "ticks"),
    [
        ("cpu  10 0 5 90 0 0 0 7 0 0", 7),
        ("cpu  10 0 5 90 0 0 0", 0),
        ("cpu  10 0 5 90", 0),
    ],
)
def test_steal_is_what_the_system_says_of_all_cores_or_nothing(line, ticks, tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    stat.write_text(f"{line}\ncpu0 10 0 5 90 0 0 0 3 0 0\n")
    monkeypatch.setattr(cores, "_STAT", stat)
    assert cores.steal_ms() == pytest.approx(1000.0 * ticks / os.sysconf("SC_CLK_TCK"))


def test_steal_of_this_machine_never_falls():
    first = cores.steal_ms()
    assert 0.0 <= first <= cores.steal_ms()
