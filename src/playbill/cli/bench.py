"""``playbill bench``: what this machine can do."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from playbill.cli import bench_views as views
from playbill.cli.progress import Stages
from playbill.cli.shared import JsonOption, explained, out, print_json

BenchHome = Annotated[Path, typer.Option("--home", help="A folder of its own.")]
PortOption = Annotated[int, typer.Option(min=1, max=65_534, help="Where it serves.")]
SecondsOption = Annotated[float, typer.Option(min=0.5, help="Of each run.")]
RepeatsOption = Annotated[int, typer.Option(min=1, help="Runs of each load.")]
HtmlOption = Annotated[Path | None, typer.Option(help="Write a page with plots there, too.")]
_DEFAULT_HOME = Path("bench-home")
_PORT = 8790


def prepare(
    home: BenchHome = _DEFAULT_HOME,
    videos: Annotated[int, typer.Option(min=1_000, help="Videos.")] = 8_000_000,
    users: Annotated[int, typer.Option(min=1, help="Viewers with a history.")] = 2_000_000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 7,
    json: JsonOption = False,
) -> None:
    """Make a home of a size, once; needs the extra train, and 10 GB for 8 million videos."""
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
    port: PortOption = _PORT,
    seconds: SecondsOption = 10.0,
    repeats: RepeatsOption = 3,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Workers that serve.")] = 1,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Measure capacity, and latency from the due instant at 50, 70 and 90 % of it."""
    from playbill.benchmarks.feed import measure_feed

    _run(
        lambda told: measure_feed(home.absolute(), port, seconds, repeats, told, workers),
        views.FEED,
        html,
        json=json,
    )


def overload(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each stage.")] = 20.0,
    times: Annotated[float, typer.Option(min=1.0, max=20.0, help="Of the capacity.")] = 3.0,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for several times the capacity in full feeds: who is answered, how, and how late."""
    from playbill.benchmarks.feed import measure_overload

    _run(
        lambda told: measure_overload(home.absolute(), port, seconds, times, told),
        views.OVERLOAD,
        html,
        json=json,
    )


def stages(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    feeds: Annotated[int, typer.Option(min=10, help="Feeds, once whole and once traced.")] = 2_000,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Tell where the microseconds of a feed go."""
    from playbill.benchmarks.stages import measure_stages

    _run(
        lambda told: measure_stages(home.absolute(), port, feeds, told),
        views.STAGES,
        html,
        json=json,
    )


def roofline(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    seconds: SecondsOption = 10.0,
    repeats: RepeatsOption = 3,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Measure capacity as a share of the most that this core could do of a feed's work."""
    from playbill.benchmarks.roofline import measure_roofline

    _run(
        lambda told: measure_roofline(home.absolute(), port, seconds, repeats, told),
        views.ROOFLINE,
        html,
        json=json,
    )


def swap(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    swaps: Annotated[int, typer.Option(min=1, help="How often the champion changes.")] = 20,
    every: Annotated[float, typer.Option(min=1.0, help="Seconds from one to the next.")] = 10.0,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Change the champion again and again at 70 % of capacity."""
    from playbill.benchmarks.swap import measure_swap

    _run(
        lambda told: measure_swap(home.absolute(), port, swaps, every, told),
        views.SWAP,
        html,
        json=json,
    )


def soak(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 60.0,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Serve at 60 % of capacity for long, and watch memory, descriptors and latency."""
    from playbill.benchmarks.soak import measure_soak

    _run(
        lambda told: measure_soak(home.absolute(), port, minutes, told),
        views.SOAK,
        html,
        json=json,
    )


def index(
    home: BenchHome = _DEFAULT_HOME,
    inserts: Annotated[int, typer.Option(min=0, help="Videos that come.")] = 50_000,
    deletes: Annotated[int, typer.Option(min=0, help="Videos that are taken down.")] = 50_000,
    queries: Annotated[int, typer.Option(min=2, help="Viewers who ask.")] = 400,
    neighbours: Annotated[int, typer.Option(min=1, help="Videos that each wants.")] = 300,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Measure recall of the index as built, after inserts and deletes, and built anew."""
    from playbill.benchmarks.index import measure_index

    _run(
        lambda told: measure_index(home.absolute(), inserts, deletes, queries, neighbours, told),
        views.INDEX,
        html,
        json=json,
    )


def fold(
    home: BenchHome = _DEFAULT_HOME,
    port: PortOption = _PORT,
    seconds: Annotated[float, typer.Option(min=1.0, help="Without events, and with.")] = 30.0,
    events: Annotated[float, typer.Option(min=1_000.0, help="Events a second.")] = 20_000.0,
    videos: Annotated[float, typer.Option(min=0.0, help="New videos a second.")] = 50.0,
    acting: Annotated[int, typer.Option(min=1, help="Viewers whose events come.")] = 2_000_000,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Fold events and take videos in at 70 % of capacity: how late feeds and the fold are."""
    from playbill.benchmarks.fold import measure_fold

    _run(
        lambda told: measure_fold(home.absolute(), port, seconds, events, videos, acting, told),
        views.FOLD,
        html,
        json=json,
    )


def _run(
    measured: Callable[[Stages], dict[str, Any]], view: views.View, html: Path | None, *, json: bool
) -> None:
    with explained():
        with Stages(quiet=json) as told:
            report = measured(told)
        if html is not None:
            views.write(html, view, report)
        if json:
            print_json(report)
        else:
            views.show(view, report)
