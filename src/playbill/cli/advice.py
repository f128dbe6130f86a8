"""``playbill train --advise``, printed."""

from typing import Annotated, Any

import typer
from rich.table import Table

from playbill.app.advising import AdviceAsked, Advised
from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import out, print_json

_GIB = 2**30

Workers = Annotated[
    list[int] | None,
    typer.Option(help="With --advise: a number of workers in question; may be repeated. 1 and 2."),
]
Memory = Annotated[
    float, typer.Option(min=0.1, help="With --advise: memory of one worker, in GiB.")
]
Hours = Annotated[
    float | None, typer.Option(min=0.0, help="With --advise: hours until it must be done.")
]
Price = Annotated[
    float | None, typer.Option(min=0.0, help="With --advise: price of a worker for an hour.")
]
Videos = Annotated[
    int | None,
    typer.Option(min=1, help="With --advise: a made-up catalogue of so many, not the home's."),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="With --advise: train some steps of each plan, too.")
]


def print_advice(home: Home, asked: AdviceAsked, *, json: bool) -> None:
    """Ask the advisor, and print what it says."""
    with Stages(quiet=json) as stages:
        found = home.advise(asked, stages)
    if json:
        print_json(found)
        return
    out.print(_table(found))
    for known in found.calibrations:
        out.print(_calibrated(known), highlight=False)
    out.print(f"measured on {found.hardware}", highlight=False)


def _calibrated(known: dict[str, Any]) -> str:
    """Return what was measured of a crew; one worker sends nothing."""
    work = f"{1e3 * known['compute_s']:.1f} ms of work a step"
    if known["workers"] == 1:
        return f"1 worker: {work}"
    return (
        f"{known['workers']} workers: {work}, {1e6 * known['call_s']:.0f} µs a call, "
        f"{known['sum_bytes_per_s'] / 1e6:,.0f} MB/s summed, "
        f"{known['exchange_bytes_per_s'] / 1e6:,.0f} MB/s exchanged"
    )


def _table(found: Advised) -> Table:
    rows = found.shape["rows"]
    table = Table(title=f"{sum(rows.values()):,} rows of {found.shape['width']} numbers")
    verified = any("measured" in plan for plan in found.plans)
    headings = ["plan", "workers", "memory of one", "sent a step", "step", "in all", "cost"]
    headings += ["measured memory", "measured step"] if verified else []
    for heading in [*headings, "why not"]:
        table.add_column(heading, justify="left" if heading in ("plan", "why not") else "right")
    for plan in found.plans:
        table.add_row(*_told(plan, verified), plan["why_not"] or "advised")
    return table


def _told(plan: dict[str, Any], verified: bool) -> list[str]:
    said = [
        plan["plan"],
        str(plan["workers"]),
        f"{plan['memory_bytes'] / _GIB:.2f} GiB",
        f"{plan['sent_bytes'] / 1e6:.2f} MB",
        f"{1e3 * plan['step_s']:.1f} ms",
        f"{plan['hours']:.2f} h",
        "" if plan["cost"] is None else f"{plan['cost']:.2f}",
    ]
    if verified:
        measured = plan.get("measured")
        said += (
            ["", ""]
            if measured is None
            else [
                f"{measured['memory_bytes'] / _GIB:.2f} GiB",
                f"{1e3 * measured['step_s']:.1f} ms",
            ]
        )
    return said
