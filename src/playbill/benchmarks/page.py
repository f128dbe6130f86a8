"""One HTML page for a report: tables and plots, no script, nothing from elsewhere."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT, _LEFT = 640, 220, 60
_STYLE = """
:root { color-scheme: light dark; --line: #2563eb; --soft: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--soft); }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
.wide { overflow-x: auto; }
.bar { fill: var(--line); } .line { fill: none; stroke: var(--line); stroke-width: 2; }
.axis { stroke: var(--soft); }
"""


def write_page(path: Path, title: str, report: Mapping[str, Any], parts: Sequence[str]) -> None:
    """Write a page of facts, tables and plots.

    Args:
        path: replaced if it is there.
        title: of the page.
        report: its plain numbers and texts head the page.
        parts: HTML made by ``table``, ``bars`` and ``lines``.
    """
    facts = {name: value for name, value in report.items() if isinstance(value, str | int | float)}
    head = "".join(
        f"<tr><td>{_text(name)}</td><td>{_text(value)}</td></tr>" for name, value in facts.items()
    )
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{_text(title)}</h1><table>{head}</table>{''.join(parts)}</html>\n",
        "utf-8",
    )


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with a column for every key of the first row."""
    names = list(rows[0]) if rows else []
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(row.get(name))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return (
        f'<h2>{_text(title)}</h2><div class="wide" role="region" tabindex="0" '
        f'aria-label="{_text(title)}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def bars(title: str, values: Sequence[tuple[str, float]], unit: str) -> str:
    """Return a bar for each named value, longest for the largest."""
    largest = max((value for _, value in values), default=0.0) or 1.0
    height = 26 * len(values) + 8
    drawn = "".join(
        f'<text x="150" y="{26 * n + 20}" text-anchor="end">{_text(name)}</text>'
        f'<rect class="bar" x="158" y="{26 * n + 7}" height="16" '
        f'width="{max(400.0 * value / largest, 0.0):.1f}"/>'
        f'<text x="{162 + 400.0 * max(value, 0.0) / largest:.1f}" y="{26 * n + 20}">'
        f"{value:,.1f} {_text(unit)}</text>"
        for n, (name, value) in enumerate(values)
    )
    return _figure(title, f'viewBox="0 0 {_WIDTH} {height}"', drawn)


def lines(title: str, x: Sequence[float], y: Sequence[float], unit: str) -> str:
    """Return a line through (x, y), from zero upwards."""
    if not x:
        return ""
    top, right, left = max(y) or 1.0, max(x), min(x)
    across = (right - left) or 1.0
    points = " ".join(
        f"{_LEFT + (_WIDTH - _LEFT - 10) * (a - left) / across:.1f},"
        f"{_HEIGHT - 20 - (_HEIGHT - 40) * b / top:.1f}"
        for a, b in zip(x, y, strict=True)
    )
    drawn = (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{_HEIGHT - 20}" y2="{_HEIGHT - 20}"/>'
        f'<text x="{_LEFT - 6}" y="{_HEIGHT - 16}" text-anchor="end">0</text>'
        f'<text x="{_LEFT - 6}" y="24" text-anchor="end">{top:,.4g}</text>'
        f'<polyline class="line" points="{points}"/>'
        f'<text x="{_WIDTH - 4}" y="{_HEIGHT - 4}" text-anchor="end">'
        f"{right:,.4g} {_text(unit)}</text>"
    )
    return _figure(title, f'viewBox="0 0 {_WIDTH} {_HEIGHT}"', drawn)


def _figure(title: str, size: str, drawn: str) -> str:
    return (
        f'<h2>{_text(title)}</h2><svg {size} role="img" aria-label="{_text(title)}">{drawn}</svg>'
    )


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} {count:,}" for name, count in value.items())
    return html.escape(
        "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    )
