"""Several workers end where one does; every row has one place; whatever is lost is gone on with."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from crew_worlds import RULES, SIZES, small_world, trained, weights
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.core import BrokenContract, DependencyUnavailable, FixedClock, InvalidInput
from playbill.models import WIDTH
from playbill.training.checkpoints import Interrupted
from playbill.training.parallel import Crew, Job, Plan, Table, place, run_crew, work, write_inputs
from playbill.training.parallel import shards as shards_module
from playbill.training.parallel.launching import read_progress
from playbill.training.parallel.placing import Shard, check_cover
from playbill.training.parallel.shards import latest, read_index, restore
from playbill.training.parallel.spread_items import chances
from playbill.training.parallel.spread_towers import SpreadTowers
from playbill.training.parallel.tables import Rule, SpreadTable
from playbill.training.parallel.worker import CHECKPOINTS, OUTPUTS

HERE = Path(__file__).parent
CLOSE = {Rule.SGD: 1e-5, Rule.ADAGRAD: 1e-4}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What two workers came to, under every plan and rule; made once for all who test."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "crew"
    folder.mkdir(exist_ok=True)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    paths = os.pathsep.join([str(HERE.parent), str(HERE)])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            subprocess.run(
                [*launcher, str(HERE / "crew_worlds.py"), str(folder)],
                env={**os.environ, "PYTHONPATH": paths},
                check=True,
                capture_output=True,
                timeout=300,
            )
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="module")
def alone():
    return {rule: trained(Plan.DATA, rule, Crew()) for rule in RULES}


@pytest.mark.parametrize("plan", list(Plan))
@pytest.mark.parametrize("rule", list(RULES))
def test_two_workers_agree_with_one_after_a_hundred_steps(together, alone, plan, rule):
    towers, losses = alone[rule]
    expected = weights(towers)
    for number in range(2):
        found = np.load(together / f"{rule}-{plan}-{number}.npz")
        told = json.loads((together / f"{rule}-{plan}-{number}.json").read_text())
        assert told["losses"] == pytest.approx(losses, abs=CLOSE[rule])
        assert set(found.files) == set(expected)
        for name, values in expected.items():
            ours, theirs = _felt(name, found[name]), _felt(name, values)
            np.testing.assert_allclose(ours, theirs, atol=CLOSE[rule], rtol=0, err_msg=name)
    assert losses[-1] < losses[0]


def _felt(name: str, values: np.ndarray) -> np.ndarray:
    """Return those weights that an output depends on.

    A bias of all keys alike shifts all attention alike, which a softmax does not feel: its gradient
    is nothing but rounding, and Adagrad makes steps of rounding as large as of anything else.
    """
    if not name.endswith("projections.bias"):
        return values
    return np.delete(values, slice(WIDTH, 2 * WIDTH))


@pytest.mark.parametrize("plan", list(Plan))
def test_every_row_lives_where_the_plan_says(together, plan):
    for name, (first, last) in _held(together, plan, 0).items():
        other = _held(together, plan, 1)[name]
        rows = {"topics": 8, "authors": 41, "words": 60, "residuals": 302, "languages": 4,
                "durations": 5}[name]  # fmt: skip
        if plan in (Plan.DATA, Plan.HYBRID):
            assert [first, last] == other == [0, rows]
        elif plan is Plan.ROWS:
            assert [[first, last], other] == [[0, rows // 2], [rows // 2, rows]]
        else:
            assert sorted([[first, last], other]) == [[0, 0], [0, rows]]


def _held(folder: Path, plan: Plan, number: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = json.loads(
        (folder / f"{Rule.SGD}-{plan}-{number}.json").read_text()
    )["held"]
    return found


@law(100)
@given(
    sizes=st.lists(st.integers(1, 500_000), min_size=1, max_size=6),
    workers=st.integers(1, 9),
    plan=st.sampled_from(list(Plan)),
)
def test_each_row_is_in_exactly_one_shard_or_on_every_worker(sizes, workers, plan):
    tables = [Table(f"t{number}", rows, 4) for number, rows in enumerate(sizes)]
    for placement in place(tables, workers, plan).values():
        rows = placement.table.rows
        held = sum(shard.last - shard.first for shard in placement.shards)
        assert held == (rows * workers if placement.copied else rows)
        if not placement.copied:
            bounds = placement.bounds(workers)
            assert bounds == sorted(bounds)
            for shard in placement.shards:
                assert (bounds[shard.worker], bounds[shard.worker + 1]) == (shard.first, shard.last)


@pytest.mark.parametrize(
    "shards", [[(0, 5)], [(0, 5), (4, 10)], [(0, 5), (6, 10)], [(1, 10)], [(0, 11)], []]
)
def test_rows_without_a_place_or_with_two_are_a_broken_contract(shards):
    with pytest.raises(BrokenContract, match="of t "):
        check_cover(Table("t", 10, 4), [Shard(n, *each) for n, each in enumerate(shards)])
    with pytest.raises(BrokenContract, match="not whole"):
        check_cover(Table("t", 10, 4), [Shard(0, 0, 10)], copied=True, workers=2)


def test_a_table_begins_the_same_however_it_is_cut():
    table = Table("authors", 150_000, 4)
    whole = SpreadTable(place([table], 1, Plan.ROWS)["authors"], Crew(), 5, 0.1).weights
    placement = place([table], 3, Plan.ROWS)["authors"]
    parts = [SpreadTable(placement, Crew(number, 3), 5, 0.1).weights for number in range(3)]
    assert torch.equal(torch.cat(parts), whole)
    assert not whole[0].any()
    assert float(whole.std()) == pytest.approx(0.1, rel=0.01)


def test_what_is_dropped_follows_from_the_video_and_the_step():
    items = np.arange(20_000)
    drawn = chances(items, 7, 3)
    assert np.array_equal(drawn[[5, 900]], chances(np.array([5, 900]), 7, 3))
    assert not np.array_equal(drawn, chances(items, 7, 4))
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert ((drawn >= 0) & (drawn < 1)).all()


def job(**changes: object) -> Job:
    said = {
        "plan": Plan.ROWS, "seed": 3, "passes": 4, "videos": 131, "negatives": 32,
        "languages": SIZES[0], "durations": SIZES[1], "timeout_s": 20.0, "every_steps": 3,
        "user_dropout": 0.0, "most_steps": 14,
    }  # fmt: skip
    return Job(**{**said, **changes})


def prepared(folder: Path, **changes: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_inputs(folder, job(**changes), *small_world())
    return folder


def outcome(folder: Path) -> tuple[list[float], np.ndarray]:
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    return read_index(path).curve, np.load(folder / OUTPUTS)["vectors"]


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], np.ndarray]:
    folder = prepared(tmp_path_factory.mktemp("one") / "job")
    work(folder, Crew(), FixedClock(0))
    return outcome(folder)


def test_a_crew_that_loses_a_worker_goes_on_and_ends_at_the_same_curve(tmp_path, one_worker):
    _loses_a_worker(tmp_path / "job", one_worker, at_step=7)


@pytest.mark.long
@pytest.mark.parametrize("attempt", range(20))
def test_whichever_worker_is_lost_at_whichever_step_it_goes_on(
    tmp_path, one_worker, attempt, record_property
):
    """The time is from the kill to the first step after the checkpoint; ``--junitxml`` has it."""
    path = tmp_path / "job"
    resumed_s = _loses_a_worker(path, one_worker, at_step=4 + attempt % 4, worker=attempt % 2)
    record_property("resumed_s", round(resumed_s, 1))


def _loses_a_worker(
    path: Path, one_worker: tuple[list[float], np.ndarray], at_step: int, worker: int = 0
) -> float:
    """Kill one of two workers, see the crew end as one worker does, and return seconds lost."""
    folder = prepared(path)
    killed_s, resumed_s = list[float](), list[float]()

    def kill_once(progress):
        if not killed_s and progress.step >= at_step:
            os.kill(sorted(_workers(folder))[worker], signal.SIGKILL)
            killed_s.append(time.monotonic())
        elif killed_s and not resumed_s and progress.resumed_from > 0:
            resumed_s.append(time.monotonic())

    launches = run_crew(folder, 2, kill_once)
    assert launches == 2
    curve, vectors = outcome(folder)
    assert curve == pytest.approx(one_worker[0], abs=1e-4)
    np.testing.assert_allclose(vectors, one_worker[1], atol=1e-4)
    progress = read_progress(folder)
    assert progress is not None
    assert progress.resumed_from >= at_step - 3
    return resumed_s[0] - killed_s[0]


def _workers(folder: Path) -> list[int]:
    """Return the process ids of the workers on a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words and b"torch.distributed.run" not in words:
            found.append(int(process.name))
    return found


@pytest.mark.long
def test_a_hung_worker_is_a_time_out_and_not_a_deadlock(tmp_path, one_worker):
    folder = prepared(tmp_path / "job", timeout_s=4.0)
    hung = Counter[int]()

    def hang_once(progress):
        if progress.step >= 4 and not hung:
            (worker, *_) = _workers(folder)
            os.kill(worker, signal.SIGSTOP)
            hung[worker] += 1

    assert run_crew(folder, 2, hang_once) == 2
    assert outcome(folder)[0] == pytest.approx(one_worker[0], abs=1e-4)


def test_told_to_stop_a_crew_leaves_nothing_running_and_goes_on_later(tmp_path, one_worker):
    folder, told = prepared(tmp_path / "job"), []
    with pytest.raises(Interrupted):
        run_crew(folder, 2, lambda progress: told.append(progress.step),
                 stop=lambda: bool(told) and told[-1] >= 5)  # fmt: skip
    for worker in _workers(folder):
        _gone(worker)
    work(folder, Crew(), FixedClock(0))
    assert outcome(folder)[0] == pytest.approx(one_worker[0], abs=1e-4)


def test_a_worker_that_is_done_leaves_before_anything_can_take_it_down():
    last = "import atexit, os; from playbill.training.parallel.crew import leave;"
    last += "atexit.register(os.abort); print('all done', end=''); leave()"
    done = subprocess.run([sys.executable, "-c", last], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"all done")


def _gone(process: int) -> None:
    """Wait until a process has ended; the kernel ends workers with their launcher."""
    handle = None
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    import select

    assert select.select([handle], [], [], 10.0)[0]
    os.close(handle)


def test_a_crew_that_cannot_begin_says_so_with_its_last_words(tmp_path):
    folder = prepared(tmp_path / "job")
    (folder / "inputs.npz").write_bytes(b"no archive")
    with pytest.raises(DependencyUnavailable, match="failed 1 times in a row"):
        run_crew(folder, 2, attempts=1)


@pytest.mark.parametrize("order", [(1, 2, 4, 1), (4, 1, 3)])
def test_a_checkpoint_is_taken_over_by_any_number_of_workers(tmp_path, order):
    """Each worker reads what it is to hold; what all of them write is the checkpoint again."""
    folder = prepared(tmp_path / "job", most_steps=5)
    first = work(folder, Crew(), FixedClock(0))
    expected = weights(first)
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    for size in order:
        for plan in (Plan.ROWS, Plan.TABLES):
            crews = [_member(number, size, plan) for number in range(size)]
            for each in crews:
                assert len(restore(path, each)) == 5
            for name, values in expected.items():
                if not name.startswith("user."):
                    rows = torch.cat([each.tables[name].weights for each in crews])
                    assert len(rows) == len(values)
                    held = sorted((each.tables[name].first, n) for n, each in enumerate(crews)
                                  if len(each.tables[name].weights))  # fmt: skip
                    again = torch.cat([crews[n].tables[name].weights for _, n in held]).numpy()
                    np.testing.assert_array_equal(again, values)
            draft = tmp_path / f"written-{size}-{plan}"
            draft.mkdir(exist_ok=True)
            for each in crews:
                shards_module._write_tables(draft, each)
            shards_module._write_index(draft, crews[0], {}, [0.0] * 5)
            (draft / "dense.pt").write_bytes((path / "dense.pt").read_bytes())
            assert read_index(draft).step == 5
            path = draft


def _member(number: int, size: int, plan: Plan) -> SpreadTowers:
    return SpreadTowers(*small_world(), SIZES, plan, job(), Crew(number, size))


def test_a_checkpoint_with_a_row_missing_or_twice_is_not_taken(tmp_path):
    folder = prepared(tmp_path / "job", most_steps=3)
    towers = work(folder, Crew(), FixedClock(0))
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    index = json.loads((path / "checkpoint.json").read_text())
    for bounds in ((0, 40), (1, 41)):
        index["tables"]["authors"][0]["first"], index["tables"]["authors"][0]["last"] = bounds
        (path / "checkpoint.json").write_text(json.dumps(index))
        with pytest.raises(BrokenContract, match="of authors"):
            restore(path, towers)
    (path / "checkpoint.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read"):
        restore(path, towers)


def test_a_disk_that_fills_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    folder = prepared(tmp_path / "job", most_steps=6)
    saves = []

    def full(file, values, allow_pickle):
        saves.append(1)
        if len(saves) > 12:
            raise OSError(28, "No space left on device")
        np.lib.format.write_array(file, values)

    monkeypatch.setattr(shards_module.np, "save", full)
    with pytest.raises(DependencyUnavailable, match="No space left"):
        work(folder, Crew(), FixedClock(0))
    monkeypatch.undo()
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    assert read_index(path).step == 3
    work(folder, Crew(), FixedClock(0))
    assert read_index(latest(folder / CHECKPOINTS)).step == 6


def test_a_job_is_plain_json_and_refuses_what_it_does_not_know(tmp_path):
    folder = prepared(tmp_path / "job")
    said = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps({**said, "worker": 2}))
    with pytest.raises(msgspec.ValidationError, match="worker"):
        work(folder, Crew(), FixedClock(0))
