"""``playbill bench``: what this machine can do."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from playbill.cli.progress import Stages
from playbill.cli.shared import JsonOption, explained, out, print_json

BenchHome = Annotated[Path, typer.Option("--home", help="A folder of its own.")]
PortOption = Annotated[int, typer.Option(min=1, max=65_534, help="Where it serves.")]
_DEFAULT_HOME = Path("bench-home")


def prepare(
    home: BenchHome = _DEFAULT_HOME,
    videos: Annotated[int, typer.Option(min=1_000, help="Videos.")] = 8_000_000,
    users: Annotated[int, typer.Option(min=1, help="Viewers with a history.")] = 2_000_000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 7,
    json: JsonOption = False,
) -> None:
    """Make a home of a size, once; needs the extra train, and for 8 million videos 20 GB."""
    from playbill.benchmarks.prepare import prepare as make

    with explained():
        with Stages(quiet=json) as stages:
            prepared = make(home.absolute(), videos, users, seed, stages)
        if json:
            print_json(prepared)
        else:
            out.print(f"{prepared.videos:,} videos, {prepared.viewers:,} viewers in {home}")


def feed(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = 8790,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each run.")] = 10.0,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each load.")] = 3,
    json: JsonOption = False,
) -> None:
    """Measure capacity, and latency from the due instant at 50, 70 and 90 % of it."""
    from playbill.benchmarks.feed import measure_feed

    with explained():
        with Stages(quiet=json) as stages:
            report = measure_feed(home.absolute(), port, seconds, repeats, stages)
        if json:
            print_json(report)
            return
        _show(report, "loop")


def overload(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = 8790,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each stage.")] = 20.0,
    times: Annotated[float, typer.Option(min=1.0, max=20.0, help="Of the capacity.")] = 3.0,
    json: JsonOption = False,
) -> None:
    """Ask for several times the capacity in full feeds: who is answered, how, and how late."""
    from playbill.benchmarks.feed import measure_overload

    with explained():
        with Stages(quiet=json) as stages:
            report = measure_overload(home.absolute(), port, seconds, times, stages)
        if json:
            print_json(report)
            return
        _show(report, "stage")


def _show(report: dict[str, Any], first: str) -> None:
    table = Table(title=f"{report['videos']:,} videos, one worker: feeds of 20 over HTTP")
    headings = (
        first,
        "offered/s",
        "served/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "failed",
        "empty",
        "tiers",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading in (first, "tiers") else "right")
    for row in report["loads"]:
        told = [f"{row[name]:,.1f}" for name in ("offered_per_s", "per_s")]
        told += [f"{row[name]:.2f}" for name in ("p50_ms", "p95_ms", "p99_ms")]
        tiers = ", ".join(f"{tier} {count:,}" for tier, count in row["tiers"].items())
        told += [f"{row[name]:,}" for name in ("failed", "empty")]
        table.add_row(row[first], *told, tiers)
    out.print(table)
    out.print(f"capacity {report['capacity_per_s']:,.0f} feeds/s; {report['hardware']}")
