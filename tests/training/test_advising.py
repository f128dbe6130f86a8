"""What the advisor says follows from bytes and measured speeds, and refuses what does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from crew_worlds import SIZES, small_world
from typer.testing import CliRunner

from playbill.app.advising import made_up
from playbill.app.clock import SystemClock
from playbill.cli.main import app
from playbill.training.parallel import Crew, Job, Plan, write_inputs
from playbill.training.parallel.advising import Calibration, Limits, Shape, advise, predicted
from playbill.training.parallel.calibrating import distinct_rows, measure, shape_of
from playbill.training.parallel.spread_towers import SpreadTowers

MIB = 2**20
SHAPE = Shape(
    rows={"residuals": 8_000_000, "authors": 200_000, "topics": 1_000},
    width=64,
    dense=150_000,
    input_bytes=500 * MIB,
    examples=4_000_000,
    per_step=4_000,
    passes=2,
)


def calibration(workers: int, **changes: float) -> Calibration:
    known = Calibration(
        workers=workers,
        distinct={"residuals": 6_000, "authors": 4_000, "topics": 900},
        base_bytes=300 * MIB,
        work_bytes=100 * MIB,
        compute_s=0.8 / workers,
        call_s=3e-4,
        sum_bytes_per_s=7e8,
        exchange_bytes_per_s=5e8,
    )
    return msgspec.structs.replace(known, **changes)


def test_memory_is_what_is_held_and_the_rest():
    rows = sum(SHAPE.rows.values())
    rest = 900 * MIB + 150_000 * 12
    memory, sent, step_s = predicted(SHAPE, calibration(1), Plan.DATA)
    assert memory == rows * 65 * 4 + rest
    assert (sent, step_s) == (0, 0.8)
    cut, *_ = predicted(SHAPE, calibration(4), Plan.ROWS)
    assert cut == pytest.approx(rows / 4 * 65 * 4 + rest, rel=1e-3)
    copied, *_ = predicted(SHAPE, calibration(4), Plan.DATA)
    assert copied == memory
    whole, *_ = predicted(SHAPE, calibration(4), Plan.TABLES)
    assert whole == 8_000_000 * 65 * 4 + rest
    hybrid, *_ = predicted(SHAPE, calibration(4), Plan.HYBRID)
    assert cut < hybrid < cut + 1_000 * 65 * 4


def test_what_is_sent_grows_with_workers_where_tables_are_copied_and_not_where_they_are_cut():
    copied = [predicted(SHAPE, calibration(n), Plan.DATA)[1] for n in (2, 4, 8)]
    cut = [predicted(SHAPE, calibration(n), Plan.ROWS)[1] for n in (2, 4, 8)]
    assert copied[2] > 3 * copied[0]
    assert cut[2] < 2 * cut[0]


def test_one_worker_is_advised_where_it_is_enough_and_more_where_time_is_short():
    known = [calibration(n) for n in (1, 2, 4)]
    enough = Limits(memory_bytes=8 * 2**30, hours=10.0, price_per_hour=1.0)
    best, *others = advise(SHAPE, enough, known)
    assert (best.plan, best.workers, best.why_not) == ("one worker", 1, "")
    assert all(each.why_not for each in others)
    short = Limits(memory_bytes=8 * 2**30, hours=best.hours * 0.7, price_per_hour=1.0)
    quick, *others = advise(SHAPE, short, known)
    assert quick.workers > 1
    assert quick.fits
    late = next(each for each in others if each.workers == 1)
    assert "which is more than" in late.why_not


def test_tables_that_do_not_fit_are_cut_and_the_others_say_how_much_they_need():
    small = Limits(memory_bytes=2 * 2**30)
    best, *others = advise(SHAPE, small, [calibration(n) for n in (1, 2, 4)])
    assert (best.workers, best.fits) == (2, True)
    assert best.plan in ("rows", "hybrid")
    for each in others:
        if each.plan in ("one worker", "data", "tables"):
            assert "GiB a worker, which has 2.00" in each.why_not


def test_where_nothing_fits_that_is_said_of_the_first_too():
    best, *_ = advise(SHAPE, Limits(memory_bytes=MIB), [calibration(1)])
    assert not best.fits
    assert "needs" in best.why_not


def test_the_shape_is_that_of_the_inputs(tmp_path: Path):
    sequences, columns = small_world()
    job = Job(
        plan=Plan.ROWS, seed=3, passes=4, videos=517, negatives=64,
        languages=SIZES[0], durations=SIZES[1], timeout_s=20.0,
    )  # fmt: skip
    write_inputs(tmp_path, job, sequences, columns)
    shape = shape_of(tmp_path)
    assert shape.rows == {"topics": 8, "authors": 41, "words": 60, "residuals": 302,
                          "languages": 4, "durations": 5}  # fmt: skip
    assert shape.examples == len(sequences)
    assert 0 < shape.per_step <= 517
    known = measure(tmp_path, Crew(), SystemClock())
    assert known.workers == 1
    assert known.compute_s > 0
    assert known.base_bytes > 50 * MIB
    assert all(0 < known.distinct[name] <= rows for name, rows in shape.rows.items())
    towers = SpreadTowers(sequences, columns, SIZES, Plan.DATA, job, Crew())
    assert distinct_rows(towers, Crew()) == known.distinct
    assert distinct_rows(towers, Crew(0, 2))["residuals"] <= known.distinct["residuals"]


def test_a_made_up_catalogue_has_a_row_a_video_and_few_that_are_taken_often():
    sequences, columns = made_up(5_000, seed=1)
    assert columns.residuals.max() == 5_000
    taken = np.sort(np.bincount(sequences.items, minlength=5_000))[::-1]
    assert taken[:500].sum() > 0.4 * taken.sum()
    assert (np.bincount(sequences.viewers) == 20).all()


@pytest.mark.parametrize("more", [("--workers", "0"), ("--videos", "3"), ()])
def test_what_cannot_be_advised_on_is_refused(tmp_path: Path, more: tuple[str, ...]):
    done = CliRunner().invoke(app, ["train", "--advise", "--home", str(tmp_path / "h"), *more])
    assert done.exit_code in (1, 2, 3)
    assert "playbill:" in done.output


def test_the_command_measures_a_crew_and_prints_every_plan(tmp_path: Path):
    said = ["train", "--advise", "--home", str(tmp_path / "h"), "--videos", "2000"]
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "playbill.toml").write_text("[training]\nbatch_rows = 64\n")
    done = CliRunner().invoke(app, [*said, "--price", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {(plan["plan"], plan["workers"]) for plan in found["plans"]} == {
        ("one worker", 1), ("data", 2), ("rows", 2), ("tables", 2), ("hybrid", 2),
    }  # fmt: skip
    assert found["plans"][0]["why_not"] == ""
    assert all(plan["cost"] > 0 for plan in found["plans"])
