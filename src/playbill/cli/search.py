"""``playbill search``: a better recipe for the ranker."""

from typing import Annotated, Any

import typer
from rich.table import Table

from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, out, print_json

_SHOWN = 10


def search(
    home: HomeOption = None,
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="No trial begins after so long.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Trainings of a trial; their mean counts.")
    ] = 1,
    json: JsonOption = False,
) -> None:
    """Try recipes for the ranker on the rows that validate; every trial is kept on record.

    It changes nothing: the best one is printed as settings.
    """
    with explained():
        with Stages(quiet=json) as stages:
            found = Home(home).search(trials, minutes, seeds, stages)
        if json:
            print_json(found)
            return
        out.print(_table(found))
        best = found["best"]
        out.print(f"settings as they are: {found['settings_now']:.5f}; best: {best['loss']:.5f}")
        out.print("\\[training]")
        for name, value in best["values"].items():
            out.print(f"{name} = {value:.6g}", highlight=False)
        out.print(found["note"], highlight=False)


def _table(found: dict[str, Any]) -> Table:
    """Return the best trials, best first."""
    tried = sorted(
        (trial for trial in found["trials"] if trial["loss"] is not None),
        key=lambda trial: float(trial["loss"]),
    )
    table = Table(title=f"{len(found['trials'])} trials on record")
    for heading in ("trial", "learning_rate", "batch_rows", "epochs", "loss"):
        table.add_column(heading, justify="right")
    for trial in tried[:_SHOWN]:
        values = trial["values"]
        table.add_row(
            str(trial["number"]),
            f"{values['learning_rate']:.5f}",
            f"{values['batch_rows']:,}",
            str(values["epochs"]),
            f"{trial['loss']:.5f}",
        )
    return table
