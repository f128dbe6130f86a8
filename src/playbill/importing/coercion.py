"""Turning one foreign cell into one field of ours."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import msgspec

from playbill.contracts import LATEST_AT_MS
from playbill.core import FOREIGN_REQUEST, InvalidInput, key64, request_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_PLAIN_MS = 100_000_000_000
"""Plain numbers below this are likelier seconds of our days than milliseconds of 1973."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of one field in a mapping file."""

    column: str | None = None
    """Where the value is."""
    constant: Any = None
    """The value itself, for every row."""
    map: dict[str, Any] | None = None
    """The value for each text of the cell; a text that is not listed gives the default."""
    default: Any = None
    """The value where the cell is empty; without it the field is left out."""
    scale: float | None = None
    """Factor from the cell's unit to ours."""
    format: Literal["epoch_s", "epoch_ms", "rfc3339"] | None = None
    """How the cell writes an instant."""
    split: str | None = None
    """What stands between the parts of a text that is a list."""


COERCIONS: dict[str, str] = {
    **dict.fromkeys(("video_id", "author_id", "title", "language", "user_id"), "text"),
    **dict.fromkeys(("event_id", "type", "session_id", "surface", "region", "query"), "text"),
    **dict.fromkeys(("duration_ms", "age_rating", "age", "position", "watch_ms"), "whole"),
    **dict.fromkeys(("at", "received_at", "created_at"), "instant"),
    **dict.fromkeys(("topics", "regions", "follows", "interests"), "texts"),
    "long_view": "flag",
    "request_id": "request",
}
"""The sort of value that each field takes."""


def fill(target: str, row: dict[str, Any], reading: Reading) -> Any:
    """Return the value of a field for one row, or None where the row has none.

    Raises:
        InvalidInput: the cell cannot be turned into the field; the message never holds the cell.
    """
    if reading.column is None:
        return coerce(target, reading.constant, Reading())
    cell = row.get(reading.column)
    if is_empty(cell):
        return _default(target, reading)
    if reading.map is None:
        return coerce(target, cell, reading)
    found = reading.map.get(_key(cell))
    if found is not None:
        return coerce(target, found, Reading())
    if reading.default is not None:
        return _default(target, reading)
    raise InvalidInput(
        f"the value of column {reading.column!r} is not in the map of {target}; "
        "add it there, or a default",
        code="value_not_mapped",
    )


def coerce(target: str, cell: Any, reading: Reading) -> Any:
    """Return a cell as the sort of value that a field takes.

    Raises:
        InvalidInput: it is not of that sort.
    """
    return _SORTS[COERCIONS[target]](target, cell, reading)


def is_empty(cell: Any) -> bool:
    """Return whether a cell says nothing: absent, null, an empty text or not a number."""
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def is_true(cell: Any) -> bool:
    """Return whether a cell switches an event on: true, not 0, or a text that does not deny."""
    if isinstance(cell, str):
        return cell.strip().lower() not in ("", "0", "false", "no", "f", "n")
    return not is_empty(cell) and bool(cell)


def _default(target: str, reading: Reading) -> Any:
    return None if reading.default is None else coerce(target, reading.default, Reading())


def _key(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _text(target: str, cell: Any, _: Reading) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    raise _unreadable(target, "a text or a whole number")


def _whole(target: str, cell: Any, reading: Reading) -> int:
    try:
        if isinstance(cell, bool):
            raise TypeError
        value = cell if isinstance(cell, int) else float(cell)
        return round(value if reading.scale is None else value * reading.scale)
    except (TypeError, ValueError, OverflowError):
        raise _unreadable(target, "a number") from None


def _flag(target: str, cell: Any, _: Reading) -> bool:
    verdict = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    found = verdict.get(str(cell).strip().lower())
    if found is None:
        raise _unreadable(target, "true, false, 1 or 0")
    return found


def _texts(target: str, cell: Any, reading: Reading) -> list[str]:
    parts = cell
    if isinstance(cell, str):
        parts = [part.strip() for part in cell.split(reading.split)] if reading.split else [cell]
    if not isinstance(parts, list | tuple):
        parts = [parts]
    return list(dict.fromkeys(_text(target, part, reading) for part in parts if part != ""))


def _request(target: str, cell: Any, reading: Reading) -> str:
    """Return 16 hex digits of the text's hash, marked as the platform's own."""
    text = _text(target, cell, reading)
    return request_name(FOREIGN_REQUEST | key64(text))


def _instant(target: str, cell: Any, reading: Reading) -> int:
    at_ms = _since_epoch(target, cell, reading)
    if not 0 <= at_ms <= LATEST_AT_MS:
        raise InvalidInput(f"{target} is not between 1970 and 2099", code="instant_out_of_range")
    return at_ms


def _since_epoch(target: str, cell: Any, reading: Reading) -> int:
    if isinstance(cell, date):
        whole = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
        return _since_epoch_ms(whole if whole.tzinfo else whole.replace(tzinfo=UTC))
    if reading.format == "rfc3339" or (reading.format is None and isinstance(cell, str)):
        return _written_instant(target, cell)
    factor = Reading(scale=1000.0 if reading.format == "epoch_s" else None)
    at_ms = _whole(target, cell, factor)
    if reading.format is None and 0 < at_ms < _EARLIEST_PLAIN_MS:
        raise InvalidInput(
            f'{target} looks like seconds; say format = "epoch_s", or "epoch_ms" if it is not',
            code="instant_ambiguous",
        )
    return at_ms


def _written_instant(target: str, cell: Any) -> int:
    try:
        read = datetime.fromisoformat(cell)
    except (TypeError, ValueError):
        raise _unreadable(target, "an instant such as 2026-03-01T12:00:00Z") from None
    if read.tzinfo is None:
        raise _unreadable(target, "an instant with its zone, such as 2026-03-01T12:00:00Z")
    return _since_epoch_ms(read)


def _since_epoch_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _unreadable(target: str, expected: str) -> InvalidInput:
    return InvalidInput(f"{target} is not {expected}", code=f"{target}_unreadable")


_SORTS: dict[str, Callable[[str, Any, Reading], Any]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "instant": _instant,
    "texts": _texts,
    "request": _request,
}
