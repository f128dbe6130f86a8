"""``playbill demo`` and ``playbill simulate``: a platform that is not there."""

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from playbill.app.stopping import Stopped
from playbill.cli.progress import Stages
from playbill.cli.shared import EXIT_STOPPED, JsonOption, err, explained, out, print_json

_DEFAULT_HOME = Path("demo-home")


def demo(
    home: Annotated[Path, typer.Option("--home", help="A folder of its own; emptied.")] = (
        _DEFAULT_HOME
    ),
    port: Annotated[
        int, typer.Option(min=1, max=65_534, help="Feeds and console; writes on the next one.")
    ] = 8700,
    exit_: Annotated[bool, typer.Option("--exit", help="Stop after the summary.")] = False,
    seconds: Annotated[
        float, typer.Option(help="How long the platform runs before there is a model.")
    ] = 40.0,
    json: JsonOption = False,
) -> None:
    """Simulate a platform: post videos, let people watch, learn, serve what was learned."""
    from playbill.app.demo import Demo, DemoReport

    with explained():
        story = Demo(home.absolute(), port, before_s=seconds)
        signal.signal(signal.SIGINT, story.stopping.ask)
        signal.signal(signal.SIGTERM, story.stopping.ask)

        stages = Stages()

        def finished(report: DemoReport) -> None:
            stages.stop()
            if json:
                print_json(report)
            else:
                _show(report)

        try:
            with stages:
                story.run(
                    stages,
                    lambda line: err.print(line, highlight=False),
                    finished,
                    stay=not exit_,
                )
        except Stopped:
            raise typer.Exit(EXIT_STOPPED) from None
        err.print("stopped", highlight=False)


def simulate(
    url: Annotated[str, typer.Option(help="Feeds.")] = "http://127.0.0.1:8700",
    collector: Annotated[str, typer.Option(help="Writes.")] = "http://127.0.0.1:8701",
    seconds: Annotated[float, typer.Option(help="How long.")] = 30.0,
    rate: Annotated[float | None, typer.Option(help="Feeds per second; as many as go.")] = None,
    publish: Annotated[bool, typer.Option(help="Post the catalogue and viewers first.")] = False,
    seed: Annotated[int, typer.Option(help="Which world, which people.")] = 7,
    json: JsonOption = False,
) -> None:
    """Send simulated people to a running server."""
    from playbill.app.clock import SystemClock
    from playbill.simulation import (
        ClosedLoop,
        PlaybillClient,
        WorldSettings,
        make_world,
        publish_world,
    )

    with explained(), Stages(quiet=json) as stages:
        clock = SystemClock()
        world = make_world(WorldSettings(seed=seed), clock.now_ms())
        client = PlaybillClient(url, collector)
        if publish:
            publish_world(world, client, lambda done, total: stages("post videos", done / total))
        report = ClosedLoop(world, client, clock, seed).run(
            duration_s=seconds,
            requests_per_s=rate,
            on_progress=lambda now: stages("people watch", now.duration_s / seconds),
        )
        client.close()
    if json:
        print_json(report)
        return
    out.print(
        f"{report.feeds:,} feeds ({_said(report.feeds_per_s, ',.0f')}/s), "
        f"clicks {_said(report.click_rate, '.2%')}, "
        f"long views {_said(report.long_view_rate, '.2%')}, "
        f"p95 {_said(report.latency_p95_ms, '.1f')} ms, tiers {report.tiers}",
        highlight=False,
    )


def _said(value: float | None, form: str) -> str:
    """Return a figure in words; what is not known is not 0."""
    return "none" if value is None else format(value, form)


def _show(report: object) -> None:
    from playbill.app.demo import DemoReport

    assert isinstance(report, DemoReport)
    table = Table(title="What learning changed (simulated viewers)")
    for heading in ("feed", "click rate", "long-view rate", "utility per feed"):
        table.add_column(heading, justify="left" if heading == "feed" else "right")
    bounds = report.bounds
    table.add_row("random, first screen", f"{bounds['random']:.2%}", "", "")
    table.add_row("popular, first screen", f"{bounds['popular']:.2%}", "", "")
    for name, figures in (
        ("before: no model", report.before),
        ("learned once", report.once),
        ("learned twice", report.twice),
    ):
        table.add_row(
            name,
            _said(figures["click_rate"], ".2%"),
            _said(figures["long_view_rate"], ".2%"),
            _said(figures["utility_per_feed"], ".2f"),
        )
    table.add_row("ideal: knows every taste", f"{bounds['ideal']:.2%}", "", "")
    out.print(table)
    auc = ", ".join(f"{task} {value:.3f}" for task, value in report.metrics.items())
    parity = report.parity
    out.print(f"held-out AUC: {auc}", highlight=False)
    out.print(
        f"parity: {parity['equal']:,} of {parity['compared']:,} served feature vectors "
        "recomputed from the log bit for bit",
        highlight=False,
    )
    took = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in report.seconds.items())
    out.print(f"bundle {report.bundle[:23]}; {took}", highlight=False)
