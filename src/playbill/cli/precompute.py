"""``playbill precompute``: lists for the lower tiers, made ahead."""

from pathlib import Path
from typing import Annotated

import typer

from playbill.app.process import step_aside
from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, out, print_json


def precompute(
    home: HomeOption = None,
    users: Annotated[
        Path | None,
        typer.Option(help="A file of user ids, one a line; else the most active viewers."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Rank for the most active viewers of a running home, for when it cannot be done in time."""
    step_aside()
    with explained():
        with Stages(quiet=json) as stages:
            made = Home(home).precompute(users, stages)
        if json:
            print_json(made)
            return
        out.print(
            f"{made.viewers:,} viewers and {made.regions} region lists in {made.seconds:.1f} s, "
            f"{made.bytes / 1e6:.1f} MB",
            highlight=False,
        )
        if made.without:
            out.print(f"{made.without:,} viewers have none", highlight=False)
