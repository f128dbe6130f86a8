"""``playbill evaluate``: tables for people, JSON for programs, a page to pass on."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from playbill.app.verbs import Home
from playbill.cli.judge_tables import (
    print_cold_start,
    print_policies,
    print_ranking,
    print_retrieval,
    print_staleness,
)
from playbill.cli.learn import DayOffset, RowsFrom, bundle_named, in_ms
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, print_json
from playbill.core import DependencyUnavailable


class Protocol(enum.StrEnum):
    """Ways to hold rows out."""

    QUICK = "quick"
    """The champion, on the rows after those it learned from."""
    ROLLING = "rolling"
    """A ranker a day, each scored on the next; what daily retraining would have served."""
    STALENESS = "staleness"
    """What a ranker loses for each day that it is not trained again."""
    LEAVE_ONE_OUT = "leave-one-out"
    """Retrieval: each viewer's last video, among all that the viewer had not taken."""
    COLD_START = "cold-start"
    """Retrieval: videos and viewers that are held out entirely."""
    OFF_POLICY = "off-policy"
    """Policies that did not serve, from the places that chance filled."""


def evaluate(
    home: HomeOption = None,
    protocol: Annotated[Protocol, typer.Option(help="What is held out.")] = Protocol.QUICK,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="For retrieval: trainings, each with its seed.")
    ] = 1,
    baselines: Annotated[
        bool, typer.Option(help="Teach baselines on the same rows, and stand them beside it.")
    ] = True,
    ablations: Annotated[
        bool, typer.Option("--ablations", help="For rolling: rankers without a part each, too.")
    ] = False,
    explore_share: Annotated[
        list[float] | None,
        typer.Option(help="For off-policy: a share of places given to chance; may be repeated."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="For off-policy: a bundle to stand beside the champion."),
    ] = None,
    day_offset: DayOffset = None,
    rows_from: RowsFrom = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with tables and plots there, too.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print how good ranker, retrieval or a policy is, beside what it must beat."""
    with explained():
        judged = Home(home)
        with Stages(quiet=json) as stages:
            report = judged.evaluate(
                protocol.value,
                stages,
                day_offset_h=day_offset,
                rows_from_ms=in_ms(rows_from),
                seeds=seeds,
                baselines=baselines,
                ablations=ablations,
                shares=tuple(explore_share or ()),
                against=None if against is None else bundle_named(judged.bundles, against),
            )
        if html is not None:
            _write_page(html, report)
        if json:
            print_json(report)
        elif protocol is Protocol.STALENESS:
            print_staleness(report)
        elif protocol is Protocol.LEAVE_ONE_OUT:
            print_retrieval(report)
        elif protocol is Protocol.COLD_START:
            print_cold_start(report)
        elif protocol is Protocol.OFF_POLICY:
            print_policies(report)
        else:
            print_ranking(report)


def _write_page(path: Path, report: dict[str, Any]) -> None:
    from playbill.cli.judge_page import write_evaluation

    try:
        write_evaluation(path, report)
    except OSError as error:
        raise DependencyUnavailable(
            f"the page {path} cannot be written: {error.strerror or error}",
            hint="choose a file in a folder that can be written",
        ) from error
