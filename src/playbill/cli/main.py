"""All commands."""

import typer

from playbill.cli import serve

app = typer.Typer(
    name="playbill",
    help="A self-hosted home-feed ranking system: events in, a learned feed out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _home_feed() -> None:
    """Events in, a learned feed out, and a feed that always comes back."""


app.command("up")(serve.up)


def main() -> None:
    """Run the command line."""
    app()
