"""``playbill parity`` and ``playbill replay``: what proves that the state equals the log."""

from typing import Annotated

import typer
from rich.text import Text

from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import EXIT_NO, HomeOption, JsonOption, explained, out, print_json


def parity(
    home: HomeOption = None,
    sample: Annotated[int, typer.Option(min=1, help="Feature vectors to compare.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
    json: JsonOption = False,
) -> None:
    """Recompute served feature vectors from the log; exit 0 only if all are bit-equal."""
    with explained():
        with Stages(quiet=json) as stages:
            report = Home(home).parity(sample, seed, stages)
        same = report.compared > 0 and report.equal == report.compared
        if json:
            print_json(report)
        else:
            out.print(f"{report.equal:,} of {report.compared:,} feature vectors are bit-equal")
            if report.first_mismatch is not None:
                found = report.first_mismatch
                out.print(
                    Text.assemble(
                        "first mismatch: ",
                        (found.feature, "bold"),
                        f" of request {found.request_id}: "
                        f"served {found.served:.9g}, recomputed {found.recomputed:.9g}",
                    )
                )
        if not same:
            raise typer.Exit(EXIT_NO)


def replay(home: HomeOption = None, json: JsonOption = False) -> None:
    """Recover the state, fold the log from nothing, and compare them bit for bit."""
    with explained():
        with Stages(quiet=json) as stages:
            report = Home(home).verify_state(stages)
        if json:
            print_json(report)
        else:
            verdict = ("equals", "") if report.equal else ("differs from", "bold red")
            out.print(
                Text.assemble(
                    f"state at epoch {report.epoch:,} with {report.user_rows:,} viewers ",
                    verdict,
                    " the log folded from nothing",
                )
            )
        if not report.equal:
            raise typer.Exit(EXIT_NO)
