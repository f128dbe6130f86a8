"""``playbill evaluate``: tables for people, JSON for programs, a page to pass on."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from playbill.app.verbs import Home
from playbill.cli.learn import DayOffset, RowsFrom, in_ms
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, out, print_json
from playbill.core import DependencyUnavailable

_GAINS = ("auc", "gauc", "gauc_one_snapshot")


class Protocol(enum.StrEnum):
    """Ways to hold rows out."""

    QUICK = "quick"
    """The champion, on the rows after those it learned from."""
    ROLLING = "rolling"
    """A ranker a day, each scored on the next; what daily retraining would have served."""
    LEAVE_ONE_OUT = "leave-one-out"
    """Retrieval: each viewer's last video, among all that the viewer had not taken."""


def evaluate(
    home: HomeOption = None,
    protocol: Annotated[
        Protocol, typer.Option(help="quick, rolling or leave-one-out.")
    ] = Protocol.QUICK,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="For leave-one-out: trainings, each with its seed.")
    ] = 1,
    baselines: Annotated[
        bool, typer.Option(help="Teach baselines on the same rows, and stand them beside it.")
    ] = True,
    day_offset: DayOffset = None,
    rows_from: RowsFrom = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with tables and plots there, too.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print how good the ranker (quick, rolling) or retrieval (leave-one-out) is, and its floor."""
    with explained():
        with Stages(quiet=json) as stages:
            report = Home(home).evaluate(
                protocol.value,
                stages,
                day_offset_h=day_offset,
                rows_from_ms=in_ms(rows_from),
                seeds=seeds,
                baselines=baselines,
            )
        if html is not None:
            _write_page(html, report)
        if json:
            print_json(report)
        elif protocol is Protocol.LEAVE_ONE_OUT:
            _print_retrieval(report)
        else:
            _print_ranking(report)


def _write_page(path: Path, report: dict[str, Any]) -> None:
    from playbill.cli.judge_page import write_evaluation

    try:
        write_evaluation(path, report)
    except OSError as error:
        raise DependencyUnavailable(
            f"the page {path} cannot be written: {error.strerror or error}",
            hint="choose a file in a folder that can be written",
        ) from error


def _print_ranking(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['protocol']}: {report['rows']:,} rows held out")
    for heading in (
        "task",
        "AUC",
        "GAUC",
        "GAUC, viewer read once a day",
        "log loss",
        "calibration",
    ):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for task, found in report["metrics"].items():
        table.add_row(
            task,
            *(_ranged(found, name) for name in _GAINS),
            _figure(found["log_loss"]),
            _figure(found["calibration"]),
        )
    out.print(table)
    if report["baselines"]:
        out.print(_gains(report))
    out.print(report["note"], highlight=False)


def _gains(report: dict[str, Any]) -> Table:
    """Return by how much the ranker is above each baseline, task by task."""
    table = Table(title="above the baselines: paired differences with 95 % intervals")
    for heading in ("baseline", "task", "its AUC", "AUC", "GAUC", "GAUC, viewer read once a day"):
        table.add_column(heading, justify="left" if heading in ("baseline", "task") else "right")
    for name, tasks in report["gains"].items():
        for task, gain in tasks.items():
            theirs = _figure(report["baselines"][name][task]["auc"])
            table.add_row(name, task, theirs, *(_ranged(gain, figure) for figure in _GAINS))
    return table


def _print_retrieval(report: dict[str, Any]) -> None:
    title = f"leave-one-out: {report['viewers']:,} viewers, {report['videos']:,} videos"
    table = Table(title=f"{title}, {report['seeds']} seeds")
    cut = report["cut"]
    for heading in ("ranked by", f"HR@{cut}", "spread", f"NDCG@{cut}", "spread"):
        table.add_column(heading, justify="left" if heading == "ranked by" else "right")
    for name, found in report["sources"].items():
        figures = ("hit_rate", "hit_rate_spread", "ndcg", "ndcg_spread")
        table.add_row(name, *(f"{found[figure]:.4f}" for figure in figures))
    out.print(table)
    out.print(report["note"], highlight=False)


def _figure(value: Any) -> str:
    return "none" if value is None else f"{value:.4f}"


def _ranged(found: dict[str, Any], name: str) -> str:
    interval = found.get(f"{name}_interval")
    text = _figure(found[name])
    return f"{text} [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else text
