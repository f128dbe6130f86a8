"""The trace of a request as a table, whatever its stages report."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_STAGES = 100
MAX_COLUMNS = 12
MAX_CELL_CHARS = 400
MAX_FACTS = 24
_NOT_FACTS = ("reply", "stages")


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of stages, and whatever else the trace says, as pairs."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[str, str], ...]


def trace_of(traced: Mapping[str, Any]) -> Trace:
    """Return a trace as text cells; a field that a stage lacks is an empty cell."""
    stages = [stage for stage in traced.get("stages", []) if isinstance(stage, Mapping)]
    stages = stages[:MAX_STAGES]
    columns = tuple(dict.fromkeys(str(name) for stage in stages for name in stage))[:MAX_COLUMNS]
    return Trace(
        columns=columns,
        rows=tuple(tuple(_cell(stage.get(name)) for name in columns) for stage in stages),
        facts=tuple(
            (str(name), _cell(value)) for name, value in traced.items() if name not in _NOT_FACTS
        )[:MAX_FACTS],
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = f"{value:,.3f}"
    elif isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_CELL_CHARS else text[: MAX_CELL_CHARS - 1] + "…"
