"""All commands."""

from typing import Annotated

import typer

from playbill import __version__
from playbill.cli import (
    bench,
    care,
    data,
    demo,
    judge,
    learn,
    precompute,
    proofs,
    reference,
    search,
    serve,
)
from playbill.cli.shared import out

app = typer.Typer(
    name="playbill",
    help="A self-hosted home-feed ranking system: events in, a learned feed out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"playbill {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _home_feed(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Events in, a learned feed out, and a feed that always comes back."""


app.command("demo")(demo.demo)
app.command("up")(serve.up)
app.command("simulate")(demo.simulate)
app.command("parity")(proofs.parity)
app.command("replay")(proofs.replay)
app.command("train")(learn.train)
app.command("evaluate")(judge.evaluate)
app.command("search")(search.search)
app.command("precompute")(precompute.precompute)
models = typer.Typer(help="Look after bundles.", no_args_is_help=True)
app.add_typer(models, name="models")
models.command("list")(learn.models)
models.command("show")(learn.show)
models.command("promote")(learn.promote)
app.command("import")(data.import_)
app.command("doctor")(care.doctor)
app.command("drill")(care.drill)
app.command("warm")(care.warm)
app.command("reference", hidden=True)(reference.reference)
benches = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(benches, name="bench")
benches.command("prepare")(bench.prepare)
benches.command("feed")(bench.feed)
benches.command("overload")(bench.overload)
benches.command("stages")(bench.stages)
benches.command("roofline")(bench.roofline)
benches.command("swap")(bench.swap)
benches.command("soak")(bench.soak)
benches.command("index")(bench.index)
benches.command("fold")(bench.fold)
events = typer.Typer(help="Look after events.", no_args_is_help=True)
app.add_typer(events, name="events")


@events.callback()
def _events() -> None:
    """Look after events."""


events.command("dead")(data.dead)


def main() -> None:
    """Run the command line."""
    app()
