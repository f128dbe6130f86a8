"""Processes that start together: each part is compiled by one, and run by all who need it."""

import fcntl
import os
import threading
from collections import Counter

import pytest

from playbill.app import kernels
from playbill.app.kernels import help_out, in_turns

NAMES = ("ranking", "features", "search", "rules")


def parts_into(ran):
    return {name: (lambda name=name: ran.append(name)) for name in NAMES}


@pytest.mark.parametrize("first", range(9))
def test_every_part_is_run_once_beginning_where_it_is_told(tmp_path, first):
    ran = []
    in_turns(tmp_path / "marks", parts_into(ran), first)
    assert Counter(ran) == Counter(NAMES)
    assert ran[0] == NAMES[first % len(NAMES)]


def test_no_two_are_at_a_part_that_nobody_ran_before(tmp_path):
    under_way, met, compiled, ran = Counter(), [], set(), Counter()
    everybody = threading.Barrier(5)

    def part(name):
        if name not in compiled:
            under_way[name] += 1
            met.append(under_way[name])
            compiled.add(name)
            under_way[name] -= 1
        ran[name] += 1

    def process(place):
        everybody.wait()
        in_turns(tmp_path / "marks", {name: (lambda n=name: part(n)) for name in NAMES}, place)

    threads = [threading.Thread(target=process, args=(place,)) for place in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(met) == {1}
    assert ran == Counter(dict.fromkeys(NAMES, 5))


def test_a_part_that_another_is_at_comes_last(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "_LOOK_AGAIN_S", 0.0)
    marks = tmp_path / "marks"
    marks.mkdir()
    busy = os.open(marks / "ranking", os.O_RDWR | os.O_CREAT)
    fcntl.flock(busy, fcntl.LOCK_EX)
    ran = []
    parts = parts_into(ran)
    parts["rules"] = lambda: (ran.append("rules"), os.close(busy))
    in_turns(marks, parts, 0)
    assert ran == ["features", "search", "rules", "ranking"]


def test_a_process_that_never_ends_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "_LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(kernels, "_LOOKS", 3)
    marks = tmp_path / "marks"
    marks.mkdir()
    busy = os.open(marks / "search", os.O_RDWR | os.O_CREAT)
    fcntl.flock(busy, fcntl.LOCK_EX)
    ran = []
    in_turns(marks, parts_into(ran), 0)
    os.close(busy)
    assert Counter(ran) == Counter(NAMES)


def test_one_that_was_killed_at_a_part_leaves_it_to_the_next(tmp_path):
    marks = tmp_path / "marks"

    def killed():
        raise SystemExit

    with pytest.raises(SystemExit):
        in_turns(marks, {"search": killed}, 0)
    ran = []
    help_out(marks, parts_into(ran), 0)
    assert Counter(ran) == Counter(NAMES)


def test_who_helps_runs_only_what_nobody_ran(tmp_path):
    ran = []
    in_turns(tmp_path / "marks", parts_into(ran), 0)
    ran.clear()
    help_out(tmp_path / "marks", parts_into(ran), 0)
    assert ran == []
    in_turns(tmp_path / "marks", parts_into(ran), 0)
    assert Counter(ran) == Counter(NAMES)


def test_where_nothing_can_be_marked_everybody_runs_all(tmp_path):
    (tmp_path / "marks").write_text("in the way")
    ran = []
    in_turns(tmp_path / "marks", parts_into(ran), 0)
    assert ran == list(NAMES)
    help_out(tmp_path / "marks", parts_into(ran), 0)
    assert ran == list(NAMES)
