"""How a benchmark's report is shown: in a terminal, and as a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from playbill.benchmarks.page import bars, lines, table, write_page
from playbill.cli.shared import out

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """A report's title, the key of its rows, their columns, and the plots of its page."""

    title: str
    rows: str | None
    columns: tuple[str, ...]
    plots: Callable[[Report], Sequence[str]]


def show(view: View, report: Report) -> None:
    """Print a report: its rows as a table, then its plain numbers."""
    if view.rows is not None:
        shown = Table(title=f"{view.title}: {report['videos']:,} videos")
        for name in view.columns:
            shown.add_column(name, justify="left" if name == view.columns[0] else "right")
        for row in report[view.rows]:
            shown.add_row(*(_told(row.get(name)) for name in view.columns))
        out.print(shown)
    for name, value in report.items():
        if not (isinstance(value, list) and value and isinstance(value[0], dict)):
            out.print(f"{name}: {_told(value)}")


def write(path: Path, view: View, report: Report) -> None:
    """Write a report as a page."""
    parts = list(view.plots(report))
    if view.rows is not None:
        parts.append(table(view.title, report[view.rows]))
    write_page(path, view.title, report, parts)


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(count)}" for name, count in value.items())
    if isinstance(value, list):
        return ", ".join(_told(part) for part in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _latencies(report: Report) -> Sequence[str]:
    rows = report["loads"]
    named = [(_load(row), row["p95_ms"]) for row in rows]
    served = [(_load(row), row["per_s"]) for row in rows]
    return (
        bars("95th percentile from the due instant", named, "ms"),
        bars("Replies a second", served, "/s"),
    )


def _load(row: Report) -> str:
    return f"{row.get('stage') or row['loop']} {row['offered_per_s']:,.0f}/s"


def _of_stages(report: Report) -> Sequence[str]:
    named = [(row["stage"], row["p50_us"]) for row in report["stages"]]
    return (bars("Median of each stage", named, "µs"),)


def _of_roofline(report: Report) -> Sequence[str]:
    limits = [*report["times_us"].items(), ("as served", 1e6 / report["requests_per_s"])]
    return (bars("Time of one feed, by what limits it", limits, "µs"), *_of_stages(report))


def _of_swap(report: Report) -> Sequence[str]:
    named = [
        (name.removesuffix("_p99_ms").replace("_", " "), report[name] or 0.0)
        for name in ("during_swaps_p99_ms", "between_swaps_p99_ms")
    ]
    return (bars("99th percentile", named, "ms"),)


def _of_soak(report: Report) -> Sequence[str]:
    at_s = [row["at_s"] for row in report["slices"]]
    return tuple(
        lines(title, at_s, [row[name] for row in report["slices"]], "s")
        for name, title in (
            ("private_mb", "Memory of the worker alone, MB"),
            ("p99_ms", "99th percentile, ms"),
            ("descriptors", "Open descriptors"),
        )
    )


def _of_index(report: Report) -> Sequence[str]:
    rows = report["indexes"]
    return (
        bars(
            "Of the exactly nearest, found", [(r["index"], 100.0 * r["recall"]) for r in rows], "%"
        ),
        bars("Median of a search", [(r["index"], r["p50_us"]) for r in rows], "µs"),
    )


_LOADS = (
    "offered_per_s", "per_s", "p50_ms", "p95_ms", "p99_ms", "failed", "empty", "steal_ms", "tiers"
)  # fmt: skip
FEED = View("Feeds of 20 over HTTP", "loads", ("loop", *_LOADS), _latencies)
OVERLOAD = View("Overload", "loads", ("stage", *_LOADS), _latencies)
FOLD = View(
    "Feeds while events are folded",
    "loads",
    ("stage", *_LOADS[:5], "inside_p95_ms", "inside_p99_ms", *_LOADS[5:]),
    _latencies,
)
STAGES = View(
    "Stages of a feed", "stages", ("stage", "kind", "p50_us", "p95_us", "left"), _of_stages
)
ROOFLINE = View("Roofline", "stages", ("stage", "kind", "p50_us", "p95_us", "left"), _of_roofline)
SWAP = View("Bundles swapped under load", None, (), _of_swap)
SOAK = View(
    "Soak",
    "slices",
    ("at_s", "per_s", "p95_ms", "p99_ms", "failed", "private_mb", "descriptors", "tiers"),
    _of_soak,
)
INDEX = View(
    "Index",
    "indexes",
    ("index", "recall", "recall_of_new", "new_among_nearest", "p50_us", "p95_us"),
    _of_index,
)
